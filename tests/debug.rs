//! I3: the `Debug` of every type that can hold a secret shows none, panics included.

use keyrot_me::aws::problem::ProfileProblem;
use keyrot_me::aws::profile::{ProcessProfile, SigningProfile};
use keyrot_me::host::aws_ini::{AwsIni, FileKind};
use keyrot_me::host::clock::Stop;
use keyrot_me::host::prompt::{CodeSource, Terminal};
use keyrot_me::keys::facts::KeyId;
use keyrot_me::keys::secret::{AccessKey, SecretKey, Session, Signer};
use keyrot_me::ports::{CreatedKey, PublishedKey};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYhunter2";

fn key() -> AccessKey {
    AccessKey { id: KeyId::new("AKIAEXAMPLE000000001").unwrap(), secret: secret() }
}

fn secret() -> SecretKey {
    SecretKey::new(SECRET.to_owned())
}

fn session() -> Session {
    let expires = "2026-11-21T00:00:00Z".parse().unwrap();
    Session { id: "ASIAEXAMPLE000000001".to_owned(), secret: secret(), token: secret(), expires }
}

#[test]
fn no_debug_shows_a_secret() {
    let created = "2026-11-21T00:00:00Z".parse().unwrap();
    let text = format!("[p]\naws_access_key_id = {}\naws_secret_access_key = {SECRET}\n", key().id);
    let ini = AwsIni::parse(FileKind::Credentials, text.as_bytes()).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &text).unwrap();
    let snapshot = keyrot_me::host::atomic_file::read_for_edit(file.path()).unwrap();
    let process = ProcessProfile {
        asked: "p".to_owned(),
        signing: "p".to_owned(),
        command: format!("vault --token {SECRET}"),
        mfa_serial: None,
        region: None,
    };
    let code = CodeSource::Given(std::rc::Rc::new(std::cell::RefCell::new(Some(secret()))));
    let terminal = Terminal::new(vec![code], true, false, Stop::default());
    let mut shown = vec![
        format!("{:?} {:#?}", secret(), secret()),
        format!("{:?} {:#?}", key(), key()),
        format!("{:?} {:#?}", session(), session()),
        format!("{:?} {:#?}", Signer::Key(key()), Signer::Session(session())),
        format!("{:?}", CreatedKey { key: key(), created }),
        format!("{:?}", PublishedKey { profiles: vec!["p".to_owned()], key: key() }),
        format!("{:?} {:?}", ini, ini.keys()),
        format!("{snapshot:?}"),
        format!("{process:?} {:?}", ProfileProblem::Process(Box::new(process.clone()))),
        format!("{:?}", process.with_key(key())),
        format!("{terminal:?}"),
    ];
    let signing =
        SigningProfile { asked: "p".to_owned(), signing: "p".to_owned(), key: key(), mfa_serial: None, region: None };
    shown.push(format!("{signing:?}"));
    for text in shown {
        assert!(!text.contains("hunter2"), "{text}");
        assert!(!text.is_empty());
    }
}

#[test]
fn a_panic_shows_no_secret() {
    let refused: fn() -> Result<(), Signer> = || Err(Signer::Session(session()));
    let panicked = std::panic::catch_unwind(|| refused().unwrap()).unwrap_err();
    let words = panicked.downcast_ref::<String>().unwrap();
    assert!(words.contains("SecretKey(****)") && !words.contains("hunter2"), "{words}");
}
