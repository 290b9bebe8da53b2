//! Where the credentials come from. The SDK's chain reads the real environment, so each case is a process of
//! its own: this binary again, with one test that connects and says what it became.

use std::path::{Path, PathBuf};
use std::process::Command;

use keyrot_me::aws::endpoint::Destination;
use keyrot_me::aws::estate::AwsEstate;
use keyrot_me::aws::profile::ProfileFiles;
use keyrot_me::ports::{Directory, Estate};

use crate::sandbox::{ADMINISTRATOR, HOME, Sandbox};

const PROFILE: &str = "KEYROT_TEST_PROFILE";
const ANSWER: &str = "KEYROT_TEST_ANSWER";

/// Not a test by itself.
#[tokio::test]
#[ignore = "runs in a process of its own, for the tests beside it"]
async fn connect_and_tell() {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(answer) = set(ANSWER) else { return };
    let path = |name: &str| PathBuf::from(set(name).unwrap());
    let files = ProfileFiles::load(&path("AWS_SHARED_CREDENTIALS_FILE"), &path("AWS_CONFIG_FILE")).await;
    let profile = set(PROFILE);
    let destination = match files {
        Ok(files) => Destination::for_profile(&files, profile.as_deref(), &set).await.unwrap(),
        Err(_) => super::destination("http://127.0.0.1:1").await,
    };
    let told = match AwsEstate::connect(destination, profile.as_deref()).await {
        Ok(estate) => tell(&estate).await,
        Err(problem) => serde_json::json!({
            "problem": problem.to_string(), "hint": problem.hint(), "debug": format!("{problem:?}"),
        }),
    };
    std::fs::write(answer, told.to_string()).unwrap();
}

async fn tell(estate: &AwsEstate) -> serde_json::Value {
    let who = estate.identity().await.map_err(|e| e.to_string());
    // A second client, for the same credentials.
    let users = estate.own().users_page(None).await.map(|page| page.items.len()).map_err(|e| e.to_string());
    serde_json::json!({
        "arn": who.map(|who| who.arn), "users": users, "temporary": estate.temporary(),
        "signing_key": estate.signing_key().map(|key| key.to_string()), "debug": format!("{estate:?}"),
    })
}

/// Alice's key is in the profile `alice`, bob's in the environment.
struct Setup {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
    alice: (String, String),
    bob: (String, String),
}

impl Setup {
    fn new() -> Self {
        let sandbox = Sandbox::start();
        sandbox.standard();
        sandbox.set_policies("alice", &[ADMINISTRATOR]);
        sandbox.set_policies("bob", &[ADMINISTRATOR]);
        let key = |user: &str| {
            let key = sandbox.keys_of(user).remove(0);
            (key.id, key.secret)
        };
        let (alice, bob) = (key("alice"), key("bob"));
        let it = Self { folder: tempfile::tempdir().unwrap(), alice, bob, sandbox };
        let (id, secret) = &it.alice;
        it.write("credentials", &format!("[alice]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"));
        it.write("config", "[profile alice]\nregion = eu-north-1\n");
        it
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.folder.path().join(file), text).unwrap();
    }

    fn environment(&self) -> Vec<(&'static str, &str)> {
        vec![("AWS_ACCESS_KEY_ID", &self.bob.0), ("AWS_SECRET_ACCESS_KEY", &self.bob.1)]
    }

    /// What a process with these variables, and no others of AWS's, became.
    fn connect(&self, profile: &str, env: &[(&str, &str)]) -> serde_json::Value {
        let file = |name: &str| self.folder.path().join(name);
        let answer = file("answer");
        let _ = std::fs::remove_file(&answer);
        let kept = ["PATH", "LD_LIBRARY_PATH", "SystemRoot", "TMPDIR"];
        let kept = std::env::vars().filter(|(name, _)| kept.contains(&name.as_str()));
        let ran = Command::new(std::env::current_exe().unwrap())
            .args(["aws_estate::chain::connect_and_tell", "--exact", "--ignored"])
            .env_clear()
            .envs(kept)
            .env("HOME", self.folder.path())
            .env("AWS_CONFIG_FILE", file("config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", file("credentials"))
            .env("AWS_ENDPOINT_URL", self.sandbox.url())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env(PROFILE, profile)
            .env(ANSWER, &answer)
            .envs(env.iter().copied())
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
        let told = read(&answer);
        for secret in [&self.alice.1, &self.bob.1] {
            assert!(!told.to_string().contains(secret.as_str()), "{told}");
        }
        told
    }
}

fn read(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn is(told: &serde_json::Value, user: &str) {
    assert_eq!(told["arn"]["Ok"], format!("arn:aws:iam::{HOME}:user/{user}"), "{told}");
    assert_eq!(told["users"]["Ok"], 2, "{told}");
}

#[test]
fn the_environment_wins_over_the_files_and_a_named_profile_over_the_environment() {
    let it = Setup::new();
    let env = it.environment();
    let from_env = it.connect("", &env);
    is(&from_env, "bob");
    assert_eq!((&from_env["signing_key"], &from_env["temporary"]), (&it.bob.0.clone().into(), &false.into()));
    is(&it.connect("", &[&env[..], &[("AWS_PROFILE", "alice")]].concat()), "bob");
    let named = it.connect("alice", &env);
    is(&named, "alice");
    assert_eq!(named["signing_key"], it.alice.0.as_str());
    assert!(it.sandbox.calls().iter().any(|call| call.region == "eu-north-1"), "the profile's region");
    is(&it.connect("", &[("AWS_PROFILE", "alice")]), "alice");
}

#[test]
fn a_profiles_role_is_taken_on_once() {
    let it = Setup::new();
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{{"AWS":"arn:aws:iam::{HOME}:root"}}}}]}}"#
    );
    let arn = it.sandbox.add_role(HOME, "security", &trust, &[ADMINISTRATOR]);
    it.write("config", &format!("[profile role]\nrole_arn = {arn}\nsource_profile = alice\nrole_session_name = me\n"));
    let told = it.connect("role", &it.environment());
    assert_eq!(told["arn"]["Ok"], format!("arn:aws:sts::{HOME}:assumed-role/security/me"), "{told}");
    assert_eq!((&told["temporary"], &told["signing_key"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(it.sandbox.count("AssumeRole"), 1, "resolved once, for all clients");
    let denied = Setup::new();
    denied.write("config", "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/none\nsource_profile = alice\n");
    let told = denied.connect("role", &[]);
    let problem = told["problem"].as_str().unwrap();
    assert!(
        problem.starts_with("the credentials of profile 'role' cannot be had: sts:AssumeRole: AccessDenied: User:")
    );
    assert!(told["hint"].as_str().unwrap().contains("--profile role"), "{told}");
    denied.write(
        "config",
        "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/none\nsource_profile = alice\n\
         mfa_serial = arn:aws:iam::123456789012:mfa/alice\n",
    );
    assert!(denied.connect("role", &[])["hint"].as_str().unwrap().starts_with("it asks for an MFA code"));
}

#[cfg(unix)]
#[test]
fn a_program_may_hand_out_the_key_and_is_asked_again_when_it_expires() {
    let it = Setup::new();
    let (id, secret) = &it.bob;
    let (handed, asked) = (it.folder.path().join("handed"), it.folder.path().join("asked"));
    let command = format!("echo >> {}; cat {}", asked.display(), handed.display());
    it.write("config", &format!("[profile program]\ncredential_process = {command}\n"));
    // Within the time that the SDK renews before the end.
    let soon = (chrono::Utc::now() + chrono::TimeDelta::seconds(5)).to_rfc3339();
    for (expires, times) in [(String::new(), 1), (format!(r#","Expiration":"{soon}""#), 2)] {
        let _ = std::fs::remove_file(&asked);
        it.write("handed", &format!(r#"{{"Version":1,"AccessKeyId":"{id}","SecretAccessKey":"{secret}"{expires}}}"#));
        let told = it.connect("program", &[]);
        is(&told, "bob");
        assert_eq!(told["signing_key"], id.as_str());
        assert_eq!(std::fs::read_to_string(&asked).unwrap().len(), times, "asked for {expires}");
    }
    std::fs::remove_file(handed).unwrap();
    let told = it.connect("program", &[]);
    assert!(told["problem"].as_str().unwrap().contains("profile 'program'"), "{told}");
}

#[test]
fn what_is_missing_is_named_with_the_way_out() {
    let it = Setup::new();
    it.write(
        "config",
        "[profile empty]\nregion = eu-west-1\n[profile login]\nlogin_session = arn:aws:iam::1:user/x\n\
         [profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = r\n\
         [sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n",
    );
    for (profile, env, problem, hint) in [
        ("alicia", None, "there is no profile 'alicia'", "did you mean 'alice'?"),
        ("default", None, "there is no profile 'default'", "there are: alice"),
        ("", Some(("AWS_PROFILE", "bobby")), "there is no profile 'bobby'", "there are: alice"),
        ("", None, "no AWS credentials were found", "AWS_ACCESS_KEY_ID"),
        ("empty", None, "profile 'empty' holds no credentials", "aws configure"),
        ("login", None, "the credentials of profile 'login' cannot be had", "sign in first: aws login --profile login"),
        ("sso", None, "the credentials of profile 'sso' cannot be had", "aws sso login --profile sso"),
    ] {
        let told = it.connect(profile, env.as_slice());
        assert!(told["problem"].as_str().unwrap_or_default().contains(problem), "{profile} {env:?}: {told}");
        assert!(told["hint"].as_str().unwrap().contains(hint), "{profile} {env:?}: {told}");
    }
    it.write("config", "[profile broken\n");
    let told = it.connect("broken", &[]);
    assert!(told["problem"].as_str().unwrap().starts_with("the AWS files cannot be read"), "{told}");
    assert!(it.sandbox.calls().is_empty(), "found out before any call");
}
