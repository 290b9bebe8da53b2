//! The foreign check: the real program against moto server, an emulator that others wrote, so that the
//! sandbox's reading of AWS is not only ours. It proves the wire (parameters, answers, dates with
//! microseconds, error codes) and, with authentication enforced, every signature that we send.
//!
//! What moto cannot give, and the sandbox must:
//! - A switched-off key still works there: S9b, rollback and `finish` are seen in the lists only.
//! - `GetSessionToken` takes any code and gives everybody the same key, which nothing accepts once
//!   authentication is enforced: codes, devices and sessions are not checked, and with enforcement a
//!   rotation can be signed by the key itself only.
//! - Conditions and `${aws:username}` in policies do not work: no rule that demands MFA.
//! - New keys work at once, lists are never stale, nothing is throttled or cut into pages.
//! - Its refusals of keys, signatures and rights come as `text/html`, with the code wrapped where no SDK but
//!   Python's looks for it. That the program takes them for a proxy's is right; so only that it stops, and that
//!   nothing changes, is checked here, and no create is refused: its answer would count as lost.
//! - No `LookupEvents`: who made a lost key is not to be found out.
//! - A key's age cannot be set over the wire: keys here are seconds old, and limits of seconds make them due.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_sdk_iam::Client;
use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};

use crate::program;
use crate::skip::skip;
use crate::workstation::{Ran, set_mode};

/// With all the characters that IAM allows in a name and a form has to encode.
const ALICE: &str = "alice+=,.@_-x";

/// What a user needs to rotate their own keys, written as far as moto understands policies.
const OWN_KEYS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*","Action":[
    "iam:ListAccessKeys","iam:CreateAccessKey","iam:UpdateAccessKey","iam:DeleteAccessKey",
    "iam:GetAccessKeyLastUsed","iam:ListMFADevices","sts:GetSessionToken"]}]}"#;

#[test]
fn a_key_rotates_itself_and_finish_deletes_the_old_one() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    let before = moto.credentials();
    let status = moto.run(&["status", "--json"]).expect(0).json();
    assert_eq!(status["keys"][0]["access_key_id"], old);
    assert_eq!(status["keys"][0]["status"], "Active");
    assert_eq!(status["keys"][0]["user"], ALICE);
    assert_eq!(status["keys"][0]["source"], "iam");

    let ran = moto.run(&["rotate", "--no-mfa", "--json"]).expect(0).json();
    let new = moto.held();
    assert_ne!(new, old);
    assert_eq!(ran["rotations"][0]["new_access_key_id"], new);
    assert_eq!(moto.keys(), both((&old, "Inactive"), (&new, "Active")));
    assert_eq!(without_keys(&moto.credentials()), without_keys(&before), "only the two values change");
    let status = moto.run(&["status", "--json"]).expect(0).json();
    let row = |id: &str| status["keys"].as_array().unwrap().iter().find(|key| key["access_key_id"] == id).unwrap();
    assert_eq!(row(&old)["status"], "Inactive");
    assert_eq!(row(&new)["profiles"][0], "default");
    assert!(row(&new)["last_used"]["service"].is_string(), "{status}");

    moto.run(&["finish", "--no-mfa"]).expect(0);
    assert_eq!(moto.keys().len(), 2, "the grace is not over");
    moto.run(&["finish", "--now", "--no-mfa"]).expect(0);
    assert_eq!(moto.keys(), [(new, "Active".to_owned())]);
}

#[test]
fn with_a_code_a_session_signs_and_rollback_puts_everything_back() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    let serial = moto.give_alice_a_device();
    let before = moto.credentials();
    moto.run(&["rotate", "--mfa-code", "123456"]).expect(0);
    let new = moto.held();
    assert_eq!(moto.keys(), both((&old, "Inactive"), (&new, "Active")));
    moto.run(&["rollback", "--mfa-code", "123457", "--mfa-serial", &serial]).expect(0);
    assert_eq!(moto.credentials(), before);
    assert_eq!(moto.keys(), both((&old, "Active"), (&new, "Inactive")));
    moto.run(&["finish", "--now", "--mfa-code", "123458"]).expect(0);
    assert_eq!(moto.keys(), [(old, "Active".to_owned())]);
}

#[test]
fn a_key_that_is_young_enough_is_left_alone_and_one_past_the_age_is_not() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    let ran = moto.run(&["rotate", "--if-older-than", "5d"]).expect(0);
    assert!(ran.stdout.contains("nothing to do"), "{}", ran.stdout);
    assert_eq!(moto.keys(), [(old.clone(), "Active".to_owned())]);
    std::thread::sleep(Duration::from_millis(1100));
    moto.run(&["rotate", "--if-older-than", "1s", "--no-mfa"]).expect(0);
    assert_ne!(moto.held(), old);
}

#[test]
fn a_second_rotation_inside_the_grace_needs_a_yes() {
    let Some(moto) = Moto::start() else { return };
    let first = moto.alice();
    moto.run(&["rotate", "--no-mfa"]).expect(0);
    let second = moto.held();
    let ran = moto.run(&["rotate", "--no-mfa"]).expect(3);
    assert!(ran.stderr.contains(&first), "{}", ran.stderr);
    assert_eq!(moto.keys(), both((&first, "Inactive"), (&second, "Active")));
    moto.run(&["rotate", "--no-mfa", "--yes"]).expect(0);
    assert_eq!(moto.keys(), both((&second, "Inactive"), (&moto.held(), "Active")));
}

#[test]
fn a_key_of_another_machine_fills_the_quota_until_the_user_names_it() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    let (other, _) = moto.admin.create_key(ALICE);
    let before = moto.credentials();
    // Not even an agreement to everything picks one of two keys that are in use.
    let ran = moto.run(&["rotate", "--no-mfa", "--yes"]).expect(3);
    assert!(ran.stderr.contains(&other), "{}", ran.stderr);
    assert_eq!(moto.credentials(), before);
    assert_eq!(moto.keys(), both((&old, "Active"), (&other, "Active")));
    moto.run(&["rotate", "--no-mfa", "--replace", &other]).expect(0);
    assert_eq!(moto.keys(), both((&old, "Inactive"), (&moto.held(), "Active")));
}

#[test]
fn with_signatures_checked_every_call_of_a_rotation_passes() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    moto.admin.put_policy(ALICE, OWN_KEYS);
    let before = moto.credentials();
    let moto = moto.enforced();
    moto.run(&["rotate", "--no-mfa"]).expect(0);
    let new = moto.held();
    assert_eq!(moto.keys(), both((&old, "Inactive"), (&new, "Active")));
    moto.run(&["rollback", "--no-mfa"]).expect(0);
    assert_eq!(moto.credentials(), before);
    moto.run(&["rotate", "--no-mfa", "--yes"]).expect(0);
    moto.run(&["finish", "--now", "--no-mfa"]).expect(0);
    assert_eq!(moto.keys(), [(moto.held(), "Active".to_owned())]);
    // The first key is deleted by now, and refused as AWS refuses it.
    moto.write_credentials(&before);
    stops(&moto.run(&["status"]));
    stops(&moto.run(&["rotate", "--no-mfa"]));
}

#[test]
fn a_wrong_secret_changes_nothing() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    moto.admin.put_policy(ALICE, OWN_KEYS);
    let moto = moto.enforced();
    moto.run(&["status"]).expect(0);
    let text = moto.credentials();
    let secret = text.lines().find(|line| line.starts_with("aws_secret_access_key")).unwrap();
    moto.write_credentials(&text.replace(secret, "aws_secret_access_key = not/the/secret"));
    stops(&moto.run(&["status"]));
    stops(&moto.run(&["rotate", "--no-mfa"]));
    assert_eq!(moto.keys(), [(old, "Active".to_owned())]);
}

#[test]
fn a_lack_of_rights_changes_nothing() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    let before = moto.credentials();
    let moto = moto.enforced();
    stops(&moto.run(&["rotate", "--no-mfa"]));
    assert_eq!(moto.credentials(), before);
    assert_eq!(moto.keys(), [(old, "Active".to_owned())]);
}

#[test]
fn a_session_that_nobody_accepts_creates_nothing() {
    let Some(moto) = Moto::start() else { return };
    let old = moto.alice();
    moto.give_alice_a_device();
    moto.admin.put_policy(ALICE, OWN_KEYS);
    let before = moto.credentials();
    let moto = moto.enforced();
    stops(&moto.run(&["rotate", "--mfa-code", "123456"]));
    assert_eq!(moto.credentials(), before);
    assert_eq!(moto.keys(), [(old, "Active".to_owned())]);
    // Nothing was begun: the next run, signed by the key itself, needs no help.
    moto.run(&["rotate", "--no-mfa"]).expect(0);
}

/// A server of its own for each test, and the home of one user, alice.
pub struct Moto {
    server: Server,
    home: tempfile::TempDir,
    admin: Admin,
}

impl Moto {
    /// None, with words for it, where there is no moto.
    pub fn start() -> Option<Moto> {
        let Some(program) = moto_server() else {
            skip("needs moto_server (pip install 'moto[server]'): the foreign check");
            return None;
        };
        let server = Server::start(&program);
        let admin = Admin::new(&server.url, "AKIAADMIN00000000001", "any");
        let home = tempfile::Builder::new().prefix("keyrot-me-home-").tempdir().unwrap();
        fs::create_dir_all(home.path().join(".aws")).unwrap();
        fs::create_dir_all(home.path().join(".config/keyrot-me")).unwrap();
        fs::write(home.path().join(".config/keyrot-me/config.toml"), "[rotation]\nsettle = { every = \"0s\" }\n")
            .unwrap();
        Some(Moto { server, home, admin })
    }

    pub fn url(&self) -> &str {
        &self.server.url
    }

    pub fn add_user(&self, name: &str) {
        self.admin.create_user(name);
    }

    /// From here on, signatures and rights are checked; also those of our own hand.
    fn enforced(mut self) -> Moto {
        self.admin.create_user("admin");
        let (id, secret) = self.admin.create_key("admin");
        self.admin.put_policy(
            "admin",
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        );
        self.server.post("/moto-api/reset-auth", "0");
        self.admin = Admin::new(&self.server.url, &id, &secret);
        self
    }

    /// The user, and her key in the credentials file.
    fn alice(&self) -> String {
        self.admin.create_user(ALICE);
        let (id, secret) = self.admin.create_key(ALICE);
        self.write_credentials(&format!(
            "# alice's\n[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n\n[elsewhere]\nregion=eu-central-1\n"
        ));
        id
    }

    fn give_alice_a_device(&self) -> String {
        let iam = &self.admin.iam;
        self.admin.wait_for(async {
            let made = iam.create_virtual_mfa_device().virtual_mfa_device_name("phone").send().await.unwrap();
            let serial = made.virtual_mfa_device.unwrap().serial_number;
            let enable = iam.enable_mfa_device().user_name(ALICE).serial_number(&serial);
            enable.authentication_code1("123456").authentication_code2("234567").send().await.unwrap();
            serial
        })
    }

    fn keys(&self) -> Vec<(String, String)> {
        self.admin.keys(ALICE)
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let home = self.home.path();
        let mut command = Command::new(program());
        command.args(arguments).stdin(Stdio::null()).env_clear();
        command.env("HOME", home).env("XDG_CONFIG_HOME", home.join(".config"));
        command.env("XDG_STATE_HOME", home.join(".local/state")).env("AWS_ENDPOINT_URL", &self.server.url);
        Ran::from(command.output().unwrap())
    }

    fn credentials_path(&self) -> PathBuf {
        self.home.path().join(".aws/credentials")
    }

    fn credentials(&self) -> String {
        fs::read_to_string(self.credentials_path()).unwrap()
    }

    fn write_credentials(&self, text: &str) {
        fs::write(self.credentials_path(), text).unwrap();
        set_mode(&self.credentials_path(), 0o600);
    }

    fn held(&self) -> String {
        let text = self.credentials();
        let line = text.lines().find(|line| line.starts_with("aws_access_key_id")).unwrap();
        line.split('=').nth(1).unwrap().trim().to_owned()
    }
}

/// Our own hand at moto's IAM: the real SDK, none of the program's code.
struct Admin {
    runtime: tokio::runtime::Runtime,
    iam: Client,
}

impl Admin {
    fn new(url: &str, id: &str, secret: &str) -> Admin {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let config = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(url)
            .credentials_provider(Credentials::new(id, secret, None, None, "test"));
        Admin { runtime, iam: Client::from_conf(config.build()) }
    }

    fn wait_for<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn create_user(&self, name: &str) {
        self.wait_for(self.iam.create_user().user_name(name).send()).unwrap();
    }

    fn create_key(&self, user: &str) -> (String, String) {
        let made = self.wait_for(self.iam.create_access_key().user_name(user).send()).unwrap();
        let key = made.access_key.unwrap();
        (key.access_key_id, key.secret_access_key)
    }

    fn put_policy(&self, user: &str, document: &str) {
        let call = self.iam.put_user_policy().user_name(user).policy_name("test").policy_document(document);
        self.wait_for(call.send()).unwrap();
    }

    /// Ids and states, sorted.
    fn keys(&self, user: &str) -> Vec<(String, String)> {
        let listed = self.wait_for(self.iam.list_access_keys().user_name(user).send()).unwrap();
        let row = |key: aws_sdk_iam::types::AccessKeyMetadata| {
            (key.access_key_id.unwrap(), key.status.unwrap().as_str().to_owned())
        };
        let mut keys: Vec<_> = listed.access_key_metadata.into_iter().map(row).collect();
        keys.sort();
        keys
    }
}

/// moto's process; its output lies in a file, and is shown when it does not start.
struct Server {
    child: Child,
    url: String,
    log: tempfile::NamedTempFile,
}

impl Server {
    fn start(program: &Path) -> Server {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port]).stdin(Stdio::null());
        command.stdout(log.reopen().unwrap()).stderr(log.reopen().unwrap());
        // A developer's own settings must not reach it.
        command.env_remove("INITIAL_NO_AUTH_ACTION_COUNT").env_remove("MOTO_PORT");
        let mut server = Server { child: command.spawn().unwrap(), url: format!("http://127.0.0.1:{port}"), log };
        let patience = Instant::now() + Duration::from_secs(60);
        while !server.answers() {
            let output = || fs::read_to_string(server.log.path()).unwrap_or_default();
            if let Some(status) = server.child.try_wait().unwrap() {
                panic!("moto_server ended with {status}:\n{}", output());
            }
            assert!(Instant::now() < patience, "moto_server does not answer:\n{}", output());
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn answers(&self) -> bool {
        self.request("GET /moto-api/ HTTP/1.1", "").is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    fn post(&self, path: &str, body: &str) {
        let answer = self.request(&format!("POST {path} HTTP/1.1"), body).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// One request over one connection, without the SDK: moto's own interface is no AWS service.
    fn request(&self, first_line: &str, body: &str) -> Option<String> {
        use std::io::{Read, Write};
        let address = self.url.strip_prefix("http://")?;
        let mut stream = std::net::TcpStream::connect(address).ok()?;
        let length = body.len();
        let head = format!("{first_line}\r\nHost: {address}\r\nContent-Type: text/plain\r\nConnection: close");
        write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `KEYROT_MOTO_SERVER`, which `tests/run` sets, else the one on the path.
fn moto_server() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("KEYROT_MOTO_SERVER") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("moto_server")).find(|program| program.is_file())
}

/// With an error of its own: no success, no panic, no kill.
#[track_caller]
fn stops(ran: &Ran) {
    assert!(ran.code.is_some_and(|code| (1..=11).contains(&code)), "{ran:?}");
    assert!(ran.stderr.contains("HTTP 403"), "{}", ran.stderr);
}

fn both(a: (&str, &str), b: (&str, &str)) -> Vec<(String, String)> {
    let mut both = [a, b].map(|(id, status)| (id.to_owned(), status.to_owned())).to_vec();
    both.sort();
    both
}

fn without_keys(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with("aws_")).collect()
}
