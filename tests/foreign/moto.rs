//! moto server as a process of each test's own, and our own hand at its services: the real SDK, none of the
//! program's code.

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
pub const ALICE: &str = "alice+=,.@_-x";

/// A server of its own for each test, and the home of one user, alice.
pub struct Moto {
    server: Server,
    home: tempfile::TempDir,
    pub admin: Admin,
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
    pub fn enforced(mut self) -> Moto {
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
    pub fn alice(&self) -> String {
        self.admin.create_user(ALICE);
        let (id, secret) = self.admin.create_key(ALICE);
        self.write_credentials(&format!(
            "# alice's\n[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n\n[elsewhere]\nregion=eu-central-1\n"
        ));
        id
    }

    pub fn give_alice_a_device(&self) -> String {
        let iam = &self.admin.iam;
        self.admin.wait_for(async {
            let made = iam.create_virtual_mfa_device().virtual_mfa_device_name("phone").send().await.unwrap();
            let serial = made.virtual_mfa_device.unwrap().serial_number;
            let enable = iam.enable_mfa_device().user_name(ALICE).serial_number(&serial);
            enable.authentication_code1("123456").authentication_code2("234567").send().await.unwrap();
            serial
        })
    }

    pub fn keys(&self) -> Vec<(String, String)> {
        self.admin.keys(ALICE)
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
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

    pub fn credentials(&self) -> String {
        fs::read_to_string(self.credentials_path()).unwrap()
    }

    pub fn write_credentials(&self, text: &str) {
        fs::write(self.credentials_path(), text).unwrap();
        set_mode(&self.credentials_path(), 0o600);
    }

    pub fn held(&self) -> String {
        let text = self.credentials();
        let line = text.lines().find(|line| line.starts_with("aws_access_key_id")).unwrap();
        line.split('=').nth(1).unwrap().trim().to_owned()
    }
}

/// Our own hand at moto's IAM: the real SDK, none of the program's code.
pub struct Admin {
    runtime: tokio::runtime::Runtime,
    pub iam: Client,
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

    pub fn wait_for<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub fn create_user(&self, name: &str) {
        self.wait_for(self.iam.create_user().user_name(name).send()).unwrap();
    }

    pub fn create_key(&self, user: &str) -> (String, String) {
        let made = self.wait_for(self.iam.create_access_key().user_name(user).send()).unwrap();
        let key = made.access_key.unwrap();
        (key.access_key_id, key.secret_access_key)
    }

    pub fn put_policy(&self, user: &str, document: &str) {
        let call = self.iam.put_user_policy().user_name(user).policy_name("test").policy_document(document);
        self.wait_for(call.send()).unwrap();
    }

    /// Ids and states, sorted.
    pub fn keys(&self, user: &str) -> Vec<(String, String)> {
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
