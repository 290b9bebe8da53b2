//! Generated files. Each is a list of pieces, so that the edited text is known without reading the original.

use proptest::prelude::*;

use super::check::{self, NEW, NEW_SECRET, OLD, Outcome};
use super::*;

pub(super) const OLD_SECRET: &str = "old/Secret+0000000000000000000000000000";
pub(super) const NAMES: [&str; 7] = ["default", "work", "a-b", "x.y@z", "A", "a", "profile1"];
const PROPERTIES: [&str; 10] = [
    "region",
    "OUTPUT",
    "mfa_serial",
    "s3",
    "x",
    "source_profile",
    "aws_session_token",
    "role_arn",
    "aws_access_key_id",
    "aws_secret_access_key",
];

#[derive(Debug, Clone)]
pub(super) enum Piece {
    Text(String),
    Id,
    Secret,
}

pub(super) fn render(pieces: &[Piece], id: &str, secret: &str) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Id => id.to_owned(),
        Piece::Secret => secret.to_owned(),
    };
    pieces.iter().map(text).collect()
}

fn one_of(choices: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(choices).prop_map(str::to_owned)
}

fn line_end() -> impl Strategy<Value = String> {
    one_of(&["\n", "\n", "\r\n"])
}

fn filler() -> impl Strategy<Value = Vec<Piece>> {
    let line = one_of(&["", "", " \t", "# note", "; [x]", "#aws_access_key_id = AKIAOLD0000000000001"]);
    (line, line_end()).prop_map(|(line, end)| vec![Piece::Text(line + &end)])
}

/// A property that must stay, with what may follow it: a comment, more lines, a nested block.
fn bystander() -> impl Strategy<Value = Vec<Piece>> {
    let line = one_of(&[
        "region = eu-central-1",
        "OUTPUT=json",
        "mfa_serial\t= arn:aws:iam::1:mfa/a # x",
        "role_arn = \"q\"",
        "my key = 1",
        "s3 =\n  aws_access_key_id = AKIAOLD0000000000001\n\n  aws_secret_access_key = nested",
        "s3 =\r\n\tmax = 1\r\n\tb = 2",
        "source_profile = a\n  b\n# c\n\td",
        "credential_process = /bin/x \\",
    ]);
    (line, line_end()).prop_map(|(line, end)| vec![Piece::Text(line + &end)])
}

fn assignment(names: &'static [&'static str], value: Piece) -> impl Strategy<Value = Vec<Piece>> {
    let equals = one_of(&["=", " = ", "\t=  ", " =", "=\t"]);
    let tail = one_of(&["", "", " ", " \t", " # note", "\t;note=1", " #"]);
    (one_of(names), equals, tail, line_end()).prop_map(move |(name, equals, tail, end)| {
        vec![Piece::Text(name + &equals), value.clone(), Piece::Text(tail + &end)]
    })
}

fn id_line(value: Piece) -> impl Strategy<Value = Vec<Piece>> {
    assignment(&["aws_access_key_id", "AWS_ACCESS_KEY_ID", "Aws_Access_Key_Id"], value)
}

fn secret_line(value: Piece) -> impl Strategy<Value = Vec<Piece>> {
    assignment(&["aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"], value)
}

/// Bystanders around the two lines, in any order; each kind of bystander at most once.
fn body(id: Piece, secret: Piece) -> impl Strategy<Value = Vec<Piece>> {
    let bystanders = proptest::collection::vec(bystander(), 0..4);
    let fillers = proptest::collection::vec(filler(), 0..4);
    (id_line(id), secret_line(secret), bystanders, fillers).prop_flat_map(|(id, secret, bystanders, fillers)| {
        let mut seen = std::collections::HashSet::new();
        let first_word = |lines: &[Piece]| match &lines[0] {
            Piece::Text(text) => text.split(['=', '\t', ' ']).next().unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let mut parts = vec![id, secret];
        parts.extend(bystanders.into_iter().filter(|lines| seen.insert(first_word(lines))));
        parts.extend(fillers);
        Just(parts).prop_shuffle().prop_map(|parts| parts.concat())
    })
}

/// A section that nobody asked for: another key, duplicates, no key at all.
fn foreign_body() -> impl Strategy<Value = Vec<Piece>> {
    let other_key = body(Piece::Text("AKIAOTHER00000000003".into()), Piece::Text("other".into()));
    let twice =
        (other_key, proptest::collection::vec(bystander(), 0..5)).prop_map(|(key, more)| [key, more.concat()].concat());
    prop_oneof![twice, proptest::collection::vec(bystander(), 0..3).prop_map(|lines| lines.concat())]
}

fn header(kind: FileKind, name: String) -> impl Strategy<Value = Vec<Piece>> {
    let inner = if kind == FileKind::Config && name != "default" { format!("profile {name}") } else { name };
    (one_of(&["]", "]", "] ", "] # note", "];x"]), line_end())
        .prop_map(move |(close, end)| vec![Piece::Text(format!("[{inner}{close}{end}"))])
}

/// The pieces, and the profiles that hold the old key.
pub(super) fn file(kind: FileKind) -> impl Strategy<Value = (Vec<Piece>, Vec<String>)> {
    let section = move |name: &'static str| {
        let holds = body(Piece::Id, Piece::Secret).prop_map(|body| (true, body));
        let other = foreign_body().prop_map(|body| (false, body));
        let again = (any::<bool>(), header(kind, format!("dup-{name}")), foreign_body());
        (header(kind, name.to_owned()), prop_oneof![holds, other], again).prop_map(
            move |(header, (holds, body), again)| {
                let again =
                    if again.0 { [again.1.clone(), again.2.clone(), again.1, again.2].concat() } else { Vec::new() };
                (holds.then(|| name.to_owned()), [header, body, again].concat())
            },
        )
    };
    let names = proptest::sample::subsequence(NAMES.to_vec(), 1..5).prop_shuffle();
    let sections = names.prop_flat_map(move |names| names.into_iter().map(section).collect::<Vec<_>>());
    (filler(), sections, any::<bool>()).prop_map(|(top, sections, cut)| {
        let (holders, bodies): (Vec<_>, Vec<_>) = sections.into_iter().unzip();
        let mut pieces = [top, bodies.concat()].concat();
        if let (true, Some(Piece::Text(last))) = (cut, pieces.last_mut()) {
            *last = last.trim_end_matches(['\r', '\n']).to_owned();
        }
        (pieces, holders.into_iter().flatten().collect())
    })
}

pub(super) fn kinds() -> impl Strategy<Value = FileKind> {
    prop_oneof![Just(FileKind::Credentials), Just(FileKind::Config)]
}

fn others_unchanged(kind: FileKind, before: &str, after: &str, holders: &[String]) {
    let (was, is) = (check::sdk(kind, before).unwrap(), check::sdk(kind, after).unwrap());
    assert_eq!(was.profiles().count(), is.profiles().count());
    for name in was.profiles() {
        let (was, is) = (was.get_profile(name).unwrap(), is.get_profile(name).unwrap());
        if !holders.iter().any(|holder| holder == name) {
            assert_eq!(was, is, "{name}");
            continue;
        }
        assert_eq!((is.get(ID), is.get(SECRET)), (Some(NEW), Some(NEW_SECRET)), "{name}");
        for property in PROPERTIES.iter().filter(|property| ![ID, SECRET].contains(property)) {
            assert_eq!(was.get(property), is.get(property), "{name} {property}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_edit_gives_what_was_meant_and_undoes_itself(
        (kind, (pieces, holders)) in kinds().prop_flat_map(|kind| (Just(kind), file(kind)))
    ) {
        let before = render(&pieces, OLD, OLD_SECRET);
        let result = AwsIni::parse(kind, before.as_bytes()).unwrap().replace_key(&id(OLD), &key(NEW, NEW_SECRET));
        if holders.is_empty() {
            prop_assert_eq!(result.unwrap_err().problem, Problem::NotHeld(id(OLD)));
            return Ok(());
        }
        let after = String::from_utf8(result.unwrap().to_vec()).unwrap();
        prop_assert_eq!(&after, &render(&pieces, NEW, NEW_SECRET));
        check::only_values_differ(&before, &after);
        others_unchanged(kind, &before, &after, &holders);
        let edited = AwsIni::parse(kind, after.as_bytes()).unwrap();
        let mut held: Vec<_> = edited.keys().into_iter().filter(|held| held.key == Ok(key(NEW, NEW_SECRET))).map(|held| held.profile).collect();
        let mut meant = holders;
        held.sort();
        meant.sort();
        prop_assert_eq!(held, meant);
        let back = edited.replace_key(&id(NEW), &key(OLD, OLD_SECRET)).unwrap();
        prop_assert_eq!(back.as_slice(), before.as_bytes());
    }

    #[test]
    fn soup_of_ini_words_is_refused_or_edited_as_promised(kind in kinds(), words in proptest::collection::vec(word(), 0..40)) {
        check::any_bytes(kind, words.concat().as_bytes());
    }

    #[test]
    fn any_bytes_are_refused_or_edited_as_promised(kind in kinds(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check::any_bytes(kind, &bytes);
    }

    /// Without trailing comments, capitals and duplicates, rust-ini reads the same as the SDK.
    #[test]
    fn a_foreign_reader_finds_the_new_key(names in proptest::sample::subsequence(NAMES.to_vec(), 1..6), nested: bool, crlf: bool) {
        let nested = if nested { "s3 =\n  aws_access_key_id = AKIAOLD0000000000001\n" } else { "x = \"a\\b\" \n" };
        let sections: Vec<_> = names.iter().map(|name| format!("# c\n[{name}]\n{nested}{}\n", pair())).collect();
        let text = sections.concat();
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        let after = rotated(FileKind::Credentials, &text).unwrap();
        let options = ini::ParseOption {
            enabled_quote: false, enabled_escape: false, enabled_indented_mutiline_value: true, ..ini::ParseOption::default()
        };
        let foreign = ini::Ini::load_from_str_opt(&after, options).unwrap();
        for name in names {
            prop_assert_eq!(foreign.get_from(Some(name), ID), Some(NEW));
            prop_assert_eq!(foreign.get_from(Some(name), SECRET), Some(NEW_SECRET));
        }
    }
}

pub(super) fn word() -> impl Strategy<Value = String> {
    one_of(&[
        "[a]\n",
        "[ a ]\n",
        "[default]\n",
        "[profile default]\n",
        "[profile a] # x\n",
        "[",
        "]",
        "a",
        " ",
        "\t",
        "=",
        "#",
        ";",
        "\n",
        "\r\n",
        "\r",
        "\u{a0}",
        "\u{85}",
        "\u{feff}",
        "aws_access_key_id",
        "AWS_SECRET_ACCESS_KEY",
        "AKIAOLD0000000000001",
        "x = 1\n",
        "  y = 2\n",
        "s3 =\n",
        "aws_access_key_id = AKIAOLD0000000000001\n",
        "aws_secret_access_key = s # n\r\n",
        "aws_secret_access_key=s\n",
        "[my profile]\n",
    ])
}

#[test]
fn the_soup_reaches_every_outcome() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = Vec::new();
    for _ in 0..3000 {
        let words = proptest::collection::vec(word(), 0..12).new_tree(&mut runner).unwrap().current();
        seen.push(check::any_bytes(FileKind::Credentials, words.concat().as_bytes()));
    }
    for outcome in [Outcome::Refused, Outcome::NotHeld, Outcome::EditRefused, Outcome::Edited] {
        assert!(seen.contains(&outcome), "{outcome:?}");
    }
}
