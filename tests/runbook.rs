//! docs/runbook.md is run: every command that needs no deployed stack, in its order, against the sandbox; of the others the
//! options are looked up where they are defined.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::TimeDelta;

use crate::program;
use crate::readme::console::{Line, lines};
use crate::sandbox::ADMINISTRATOR;
use crate::skip::skip;
use crate::workstation::{Ran, Workstation};

/// What the page has for keys and for a date that must lie ahead.
const OF_ALICE: &str = "AKIAKEYOFALICE000000";
const OF_THE_BOT: &str = "AKIAKEYOFDEPLOYBOT00";
const DATE: &str = "2026-12-31";

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    std::fs::read_to_string(repository().join("docs/runbook.md")).unwrap()
}

fn typed(text: &str) -> Vec<(&str, Option<&str>)> {
    let typed = lines(text).into_iter().filter_map(|line| match line {
        Line::Typed(typed, why) => Some((typed, why)),
        Line::Text(_) | Line::Printed => None,
    });
    typed.collect()
}

/// The AWS CLI.
fn aws() -> Option<PathBuf> {
    let python = std::env::var_os("KEYROT_AWS_PYTHON").map(|python| Path::new(&python).with_file_name("aws"));
    let deploy = std::env::var_os("KEYROT_DEPLOY").map(|folder| Path::new(&folder).join("bin/aws"));
    let found = [python, deploy].into_iter().flatten().find(|aws| aws.is_file());
    if found.is_none() {
        skip("needs KEYROT_AWS_PYTHON or KEYROT_DEPLOY, a folder with the AWS CLI: the runbook's aws commands");
    }
    found
}

/// A team of fourteen with old keys, a pipeline among them, and a user who is spared.
struct Office {
    station: Workstation,
    tools: tempfile::TempDir,
    keys: BTreeMap<&'static str, String>,
}

impl Office {
    fn open(aws: Option<&Path>) -> Self {
        let station = Workstation::new(program());
        station.add_security_team();
        let (sandbox, days) = (&station.sandbox, TimeDelta::days);
        let old = sandbox.now() - days(120);
        let alice = sandbox.keys_of("alice")[0].id.clone();
        sandbox.set_created(&alice, old);
        let member = |name: &str, group: &str, made| {
            sandbox.add_user(name);
            sandbox.join_or_add_group(name, group);
            sandbox.seed_key(name, made, "Active").0
        };
        (1..=11).for_each(|number| drop(member(&format!("developer-{number:02}"), "Developers", old)));
        let bot = member("deploy-bot", "Developers", old);
        member("robot", "KeyExempt", sandbox.now() - days(10));
        sandbox.join("robot", "Developers");
        sandbox.add_user("admin");
        sandbox.set_policies("admin", &[ADMINISTRATOR]);
        let (id, secret) = sandbox.seed_key("admin", sandbox.now(), "Active");
        let section = format!("\n[admin]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
        station.write_credentials(station.credentials() + &section);
        let tools = tempfile::tempdir().unwrap();
        symlink(program(), tools.path().join("keyrot-me")).unwrap();
        if let Some(aws) = aws {
            symlink(aws, tools.path().join("aws")).unwrap();
        }
        Self { station, tools, keys: BTreeMap::from([(OF_ALICE, alice), (OF_THE_BOT, bot)]) }
    }

    fn run(&self, typed: &str) -> Ran {
        let ahead = (self.station.sandbox.now() + TimeDelta::days(40)).date_naive().to_string();
        let line = self.keys.iter().fold(typed.replace(DATE, &ahead), |line, (shown, key)| line.replace(shown, key));
        let path = format!("{}:{}", self.tools.path().display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("sh");
        command.args(["-c", &line]).env_clear().envs(self.station.environment()).env("PATH", path);
        command.envs([("AWS_PROFILE", "admin"), ("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_PAGER", "")]);
        command.envs([("AWS_DEFAULT_REGION", "us-east-1"), ("PYTHONDONTWRITEBYTECODE", "1")]);
        command.current_dir(self.station.home.path()).stdin(Stdio::null());
        Ran::from(command.output().unwrap())
    }
}

/// `# exit 21` behind a command.
fn expected(typed: &str) -> i32 {
    typed.split_once("# exit ").map_or(0, |(_, code)| code.trim().parse().unwrap())
}

#[test]
fn the_commands_of_the_runbook_do_what_it_says() {
    let text = page();
    let (aws, mut without) = (aws(), 0);
    let office = Office::open(aws.as_deref());
    let mut ran = 0;
    for (typed, _) in typed(&text).into_iter().filter(|(_, not_run)| not_run.is_none()) {
        if typed.starts_with("aws ") && aws.is_none() {
            without += 1;
            continue;
        }
        let came = office.run(typed);
        assert_eq!(came.code, Some(expected(typed)), "$ {typed}\n{}{}", came.stdout, came.stderr);
        ran += 1;
        office.check(typed, &came);
    }
    assert!(ran + without >= 17, "the runbook lost its commands: {ran} ran");
    assert_eq!(without, if aws.is_some() { 0 } else { 6 });
}

impl Office {
    /// What the page says of a command's effect.
    fn check(&self, typed: &str, came: &Ran) {
        let sandbox = &self.station.sandbox;
        let bot = || sandbox.keys_of("deploy-bot")[0].status.clone();
        if typed.contains("--max-affected") {
            assert_eq!((bot().as_str(), sandbox.keys_of("alice")[0].status.as_str()), ("Inactive", "Inactive"));
        }
        if typed.starts_with("grep -o") {
            let undo = format!("--access-key-id {} --status Active", self.keys[OF_THE_BOT]);
            assert_eq!(came.stdout.lines().count(), 13, "{}", came.stdout);
            assert!(came.stdout.contains(&undo), "{}", came.stdout);
        }
        if typed.starts_with("aws iam update-access-key") {
            assert_eq!(bot(), "Active");
        }
        if typed.contains("--exempt-tag --explain deploy-bot") && came.stdout.contains("OPS-42") {
            assert!(came.stdout.contains("=> exempt (exempt-tag)"), "{}", came.stdout);
        }
        if typed.contains("--period 30d") {
            assert!(came.stdout.contains("IAM users with keys since"), "{}", came.stdout);
        }
        if typed.contains("--tag-keys keyrot-me/disabled/") {
            assert!(!sandbox.tags_of("alice").keys().any(|tag| tag.starts_with("keyrot-me/")), "it is gone");
        }
    }
}

/// Options that are not there would be found on the worst of all days.
#[test]
fn commands_that_need_a_deployed_stack_name_what_is_there() {
    let text = page();
    let (mut reasons, aws) = (BTreeMap::<&str, u32>::new(), aws());
    for (typed, not_run) in typed(&text) {
        let Some(why) = not_run else { continue };
        *reasons.entry(why).or_default() += 1;
        let words = shell_words::split(typed).unwrap();
        match words[0].as_str() {
            "aws" => aws.as_deref().into_iter().for_each(|aws| known_to_aws(aws, &words[1..])),
            script => options_of(&repository().join(script), &words[1..]),
        }
    }
    for (why, commands) in &reasons {
        println!("{commands} commands of docs/runbook.md are not run: {why}");
    }
    assert_eq!(reasons.values().sum::<u32>(), 21, "{reasons:?}");
}

fn options_of(script: &Path, words: &[String]) {
    let source = std::fs::read_to_string(script).unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    for option in words.iter().filter(|word| word.starts_with("--")) {
        assert!(source.contains(&format!("    {option})")), "{} has no {option}", script.display());
    }
    for setting in words.iter().filter(|word| word.contains('=')) {
        let name = setting.split('=').next().unwrap();
        let template = repository().join("packaging/aws/cloudformation/security-account.yaml");
        let template = std::fs::read_to_string(template).unwrap();
        assert!(template.contains(&format!("\n  {name}:\n")), "the template has no parameter {name}");
    }
}

/// The AWS CLI checks what it is given, and calls nobody. Whether its example of an answer is one does not matter.
fn known_to_aws(aws: &Path, words: &[String]) {
    let mut command = Command::new(aws);
    command.args(words).args(["--generate-cli-skeleton", "output", "--region", "us-east-1"]);
    command.env_clear().env("PATH", std::env::var("PATH").unwrap_or_default()).env("PYTHONDONTWRITEBYTECODE", "1");
    let ran = Ran::from(command.stdin(Stdio::null()).output().unwrap());
    // Commands that write a file know everything but the skeleton.
    let unknown = ran.stderr.lines().find(|line| line.starts_with("Unknown options: "));
    let asked_for = unknown.is_none_or(|line| line.ends_with(": --generate-cli-skeleton, output"));
    let refused = ran.stderr.contains("usage:") && unknown.is_none() || ran.stderr.contains("Missing required");
    assert!(asked_for && !refused, "aws {words:?}\n{}", ran.stderr);
}

#[test]
fn what_the_runbook_tells_of_alarms_and_settings_is_in_the_template() {
    let text = page();
    let template = repository().join("packaging/aws/cloudformation/security-account.yaml");
    let template = std::fs::read_to_string(template).unwrap();
    for alarm in ["no-run", "incomplete"] {
        assert!(text.contains(&format!("`keyrot-me-purge-{alarm}`")), "{alarm}");
        assert!(template.contains(&format!("AlarmName: !Sub \"${{AWS::StackName}}-{alarm}\"")), "{alarm}");
    }
    for setting in ["ScheduleState", "OrganizationalUnits", "AllowEmpty", "ExemptTag", "MaxAffected", "Review"] {
        assert!(text.contains(&format!("{setting}=")) || text.contains(&format!("`{setting}`")), "{setting}");
        assert!(template.contains(&format!("\n  {setting}:\n")), "{setting}");
    }
}
