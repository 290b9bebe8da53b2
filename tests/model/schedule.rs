//! What one play of the model is given: the nature of its AWS, the person, and the faults, in words.
//!
//! A schedule is plain data made from one seed: the same seed is the same play, and a schedule that
//! fails is shrunk by leaving parts of it out.

use std::fmt;

/// Small, fast and the same everywhere (`SplitMix64`).
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: i64) -> i64 {
        i64::try_from(self.roll() >> 2).unwrap_or_default() % limit.max(1)
    }

    pub fn one_in(&mut self, many: i64) -> bool {
        self.below(many) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(i64::try_from(from.len()).unwrap())).unwrap()]
    }
}

/// One port call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Identity,
    OpenSession,
    MfaSerials,
    ListKeys,
    CreateKey,
    SetActive,
    DeleteKey,
    LastUsed,
    KeysMadeBy,
    User,
    KeyAccount,
    ProveWritable,
    Published,
    Publish,
    Stash,
    Stashed,
    Erase,
    Rotations,
    Append,
    Sleep,
    MfaCode,
    Confirm,
}

pub const OPS: usize = Op::Confirm as usize + 1;

impl Op {
    /// A call that only looks: a crash at it is a crash at the call before it.
    pub fn reads(self) -> bool {
        matches!(self, Self::Published | Self::Stashed | Self::Rotations | Self::MfaCode | Self::Confirm)
    }
}

/// The calls that random faults aim at.
const AIMS: [Op; 19] = [
    Op::Identity,
    Op::KeyAccount,
    Op::OpenSession,
    Op::ListKeys,
    Op::CreateKey,
    Op::CreateKey,
    Op::CreateKey,
    Op::SetActive,
    Op::SetActive,
    Op::DeleteKey,
    Op::LastUsed,
    Op::KeysMadeBy,
    Op::Published,
    Op::Publish,
    Op::Stash,
    Op::Erase,
    Op::Append,
    Op::Append,
    Op::Sleep,
];

/// A key, as the story names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The key that the story began with.
    Old,
    /// The newest key that the program made.
    New,
    /// The newest key that an outsider made.
    Foreign,
}

/// What somebody else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    Creates,
    SwitchesOff(Who),
    SwitchesOn(Who),
    Deletes(Who),
    Uses(Who),
    /// Another tool writes the profile's old key back into the file.
    RewritesTheFile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    DiesBefore,
    DiesAfter,
    /// A time-out, and nothing was done.
    LostBefore,
    /// A time-out, and it was done.
    LostAfter,
    Throttled,
    Denied,
    Unreachable,
    SessionExpired,
    CodeRefused,
    /// The store or journal says that it failed; with `true` it did the work all the same.
    DiskFull(bool),
    /// From here on every write of this run to the disk fails.
    DiskStaysFull,
    /// The machine sleeps so many seconds before the call.
    Slept(i64),
    /// From here on the program's newest key is refused for so many seconds.
    NewKeyRefused(i64),
    /// A signal asks the run to stop.
    Stop,
    Outside(Outside),
}

/// Where a fault strikes: the n-th such call of a run, or its n-th call of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    Nth(Op, u32),
    Call(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    pub run: usize,
    pub at: At,
    pub fault: Fault,
}

/// How the story begins, and what the first run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    /// One old key; `rotate`.
    Rotate,
    /// After a rotation, inside grace; `rollback`.
    Rollback,
    /// After a rotation, past grace; `finish`.
    Finish,
    /// After a rotation, inside grace; `finish --now`.
    FinishNow,
    /// After a rotation, past grace; `rotate`.
    RotateAgain,
    /// Beside a foreign key, `true` when that is Active; `rotate`.
    BesideAnother(bool),
    /// The purge took the key: switched it off, or with `true` deleted it; `rotate --auth-profile`.
    Taken(bool),
    /// The same beside a foreign key that is Active.
    TakenBeside(bool),
}

impl Story {
    pub fn taken(self) -> bool {
        matches!(self, Self::Taken(_) | Self::TakenBeside(_))
    }
}

/// Who signs beside the key itself (`--auth-profile`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    Nobody,
    /// The user's own sign-in, such as `aws login`; with `true` in the first run only.
    Alice(bool),
    /// A role that may do it; with `true` in the first run only.
    Role(bool),
}

/// Who is there to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    SaidYes,
    Agrees,
    Declines,
    Nobody,
    Timer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trail {
    Denied,
    /// Events appear after so many seconds.
    After(i64),
}

/// What this AWS and this machine are like, faults aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nature {
    /// Seconds until a new key is accepted.
    pub sts_delay: i64,
    pub iam_delay: i64,
    /// In that time it is accepted now and then.
    pub flaky: bool,
    /// Lists lag by up to so many seconds.
    pub lag: i64,
    pub trail: Trail,
    pub last_use_denied: bool,
    /// A session is refused once the key that made it is off.
    pub sessions_die: bool,
    pub no_mfa: bool,
    /// Even reading needs MFA.
    pub reads_need_mfa: bool,
    /// Milliseconds per call.
    pub latency: i64,
    /// Local minus service time, milliseconds.
    pub skew: i64,
    /// The adapter cuts the clock's offset to whole seconds.
    pub whole_offset: bool,
    /// New keys answer as another account's.
    pub strange: bool,
    pub retire_after: i64,
    pub other: Other,
}

pub const KIND: Nature = Nature {
    sts_delay: 0,
    iam_delay: 0,
    flaky: false,
    lag: 0,
    trail: Trail::Denied,
    last_use_denied: false,
    sessions_die: false,
    no_mfa: false,
    reads_need_mfa: false,
    latency: 120,
    skew: 0,
    whole_offset: false,
    strange: false,
    retire_after: 86_400,
    other: Other::Nobody,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub seed: u64,
    pub story: Story,
    pub person: Person,
    pub nature: Nature,
    pub faults: Vec<Planned>,
    /// Seconds between two runs.
    pub gap: i64,
}

impl Schedule {
    pub fn plain(story: Story, person: Person) -> Self {
        Self { seed: 1, story, person, nature: KIND, faults: Vec::new(), gap: 5 }
    }

    pub fn random(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let story = dice.pick(&[
            Story::Rotate,
            Story::Rotate,
            Story::Rotate,
            Story::Rollback,
            Story::Finish,
            Story::FinishNow,
            Story::RotateAgain,
            Story::BesideAnother(false),
            Story::BesideAnother(true),
            Story::Taken(false),
            Story::Taken(true),
            Story::TakenBeside(false),
            Story::TakenBeside(true),
        ]);
        let person = dice.pick(&[Person::SaidYes, Person::Agrees, Person::Declines, Person::Nobody, Person::Timer]);
        let mut nature = nature(&mut dice);
        if story.taken() || dice.one_in(4) {
            let once = dice.one_in(2);
            nature.other = dice.pick(&[Other::Alice(once), Other::Role(once)]);
        }
        let outsiders = dice.one_in(3);
        let mut faults: Vec<Planned> = (0..dice.below(4)).map(|_| fault(&mut dice, outsiders)).collect();
        // At most two crashes: each run dies once.
        for run in 0..2 {
            if !dice.one_in(3) {
                let fault = dice.pick(&[Fault::DiesBefore, Fault::DiesAfter]);
                faults.push(Planned { run, at: place(&mut dice), fault });
            }
        }
        Self { seed, story, person, nature, faults, gap: dice.pick(&[0, 1, 7, 30, 61, 3_600, 90_000]) }
    }
}

fn nature(dice: &mut Dice) -> Nature {
    let no_mfa = dice.one_in(3);
    Nature {
        sts_delay: dice.pick(&[0, 0, 3, 8, 15]),
        iam_delay: dice.pick(&[0, 0, 3, 8, 15]),
        flaky: dice.one_in(3),
        lag: dice.pick(&[0, 0, 5, 20, 60]),
        trail: dice.pick(&[Trail::Denied, Trail::After(0), Trail::After(300)]),
        last_use_denied: dice.one_in(8),
        sessions_die: dice.one_in(2),
        no_mfa,
        reads_need_mfa: !no_mfa && dice.one_in(3),
        latency: dice.pick(&[20, 120, 900, 4_000]),
        skew: dice.pick(&[0, 0, 400, -1_700, 100_000, -100_000]),
        whole_offset: dice.one_in(2),
        strange: dice.one_in(20),
        retire_after: dice.pick(&[86_400, 86_400, 86_400, 60, 0]),
        other: Other::Nobody,
    }
}

fn place(dice: &mut Dice) -> At {
    if dice.one_in(3) {
        return At::Call(u32::try_from(dice.below(140)).unwrap());
    }
    let op = dice.pick(&AIMS);
    let nth = match op {
        Op::Append | Op::ListKeys | Op::Identity | Op::Published => dice.below(9),
        _ => dice.below(2),
    };
    At::Nth(op, u32::try_from(nth).unwrap())
}

fn fault(dice: &mut Dice, outsiders: bool) -> Planned {
    let who = dice.pick(&[Who::Old, Who::Old, Who::New, Who::New, Who::Foreign]);
    let fault = if outsiders && dice.one_in(2) {
        Fault::Outside(dice.pick(&[
            Outside::Creates,
            Outside::SwitchesOff(who),
            Outside::SwitchesOn(who),
            Outside::Deletes(who),
            Outside::Uses(Who::Foreign),
            Outside::RewritesTheFile,
        ]))
    } else {
        dice.pick(&[
            Fault::LostBefore,
            Fault::LostAfter,
            Fault::LostAfter,
            Fault::Throttled,
            Fault::Denied,
            Fault::Unreachable,
            Fault::SessionExpired,
            Fault::CodeRefused,
            Fault::DiskFull(false),
            Fault::DiskFull(true),
            Fault::DiskStaysFull,
            Fault::Slept(1_000),
            Fault::Slept(100_000),
            Fault::NewKeyRefused(20),
            Fault::NewKeyRefused(200),
            Fault::Stop,
        ])
    };
    Planned { run: usize::try_from(dice.below(3)).unwrap(), at: place(dice), fault }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {:?}, person {:?}, {} s between runs", self.seed, self.story, self.person, self.gap)?;
        writeln!(f, "  {:?}", self.nature)?;
        for Planned { run, at, fault } in &self.faults {
            match at {
                At::Nth(op, nth) => writeln!(f, "  run {run}, {op:?} number {nth}: {fault:?}")?,
                At::Call(call) => writeln!(f, "  run {run}, call {call}: {fault:?}")?,
            }
        }
        Ok(())
    }
}
