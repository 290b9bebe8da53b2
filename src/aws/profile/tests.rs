//! Tests of the way from a profile to its key.

use std::io::Write;

use super::*;

const KEY: &str = "aws_access_key_id = AKIAEXAMPLE000000001\naws_secret_access_key = wJalr/secret+\n";

async fn files(credentials: &str, config: &str) -> Result<ProfileFiles, ProfileProblem> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        path
    };
    ProfileFiles::load(&write("credentials", credentials), &write("config", config)).await
}

async fn resolve(credentials: &str, config: &str, asked: &str) -> Result<SigningProfile, ProfileProblem> {
    files(credentials, config).await?.resolve(asked)
}

#[tokio::test]
async fn a_key_is_found_with_its_serial_and_region() {
    let config = "[default]\nregion = eu-central-1\nmfa_serial = arn:aws:iam::123456789012:mfa/alice\n";
    let found = resolve(&format!("[default]\n{KEY}"), config, "default").await.unwrap();
    assert_eq!((found.asked.as_str(), found.signing.as_str()), ("default", "default"));
    assert_eq!(found.key.id.as_str(), "AKIAEXAMPLE000000001");
    assert_eq!(found.key.secret.expose(), "wJalr/secret+");
    assert_eq!(found.mfa_serial.as_deref(), Some("arn:aws:iam::123456789012:mfa/alice"));
    assert_eq!(found.region.as_deref(), Some("eu-central-1"));
    assert!(!format!("{found:?}").contains("wJalr"));
}

#[tokio::test]
async fn a_role_is_followed_to_the_key_that_signs() {
    let config = "[profile prod]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = mid\nmfa_serial = first\n\
                  [profile mid]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = base\nregion = eu-west-1\n\
                  [profile base]\nregion = us-west-2\nmfa_serial = last\n";
    let found = resolve(&format!("[base]\n{KEY}"), config, "prod").await.unwrap();
    assert_eq!((found.asked.as_str(), found.signing.as_str()), ("prod", "base"));
    assert_eq!((found.mfa_serial.as_deref(), found.region.as_deref()), (Some("first"), Some("eu-west-1")));
    // A profile that is its own source signs with its own key.
    let config = "[profile own]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = own\n";
    assert_eq!(resolve(&format!("[own]\n{KEY}"), config, "own").await.unwrap().signing, "own");
}

#[tokio::test]
async fn circles_and_lost_sources_are_named() {
    let config = "[profile a]\nrole_arn = x\nsource_profile = b\n[profile b]\nrole_arn = x\nsource_profile = a\n\
                  [profile c]\nrole_arn = x\nsource_profile = gone\n[profile d]\nrole_arn = x\n";
    let problem = |asked| resolve("", config, asked);
    assert_eq!(problem("a").await.unwrap_err().to_string(), "source_profile goes in a circle: a -> b -> a");
    let lost = problem("c").await.unwrap_err().to_string();
    assert_eq!(lost, "there is no profile 'gone', which 'c' names as its source_profile");
    assert_eq!(problem("d").await.unwrap_err(), ProfileProblem::RoleWithoutSource { profile: "d".into() });
}

#[tokio::test]
async fn an_unknown_profile_names_the_nearest() {
    let problem = resolve(&format!("[work]\n{KEY}[default]\n{KEY}"), "", "wrok").await.unwrap_err();
    assert_eq!(problem.to_string(), "there is no profile 'wrok'");
    assert_eq!(problem.hint(), "did you mean 'work'? there are: default, work");
    let far = resolve(&format!("[work]\n{KEY}"), "", "quite-another").await.unwrap_err();
    assert_eq!(far.hint(), "there are: work");
    assert!(resolve("", "", "default").await.unwrap_err().hint().contains("no profiles at all"));
}

#[tokio::test]
async fn what_is_not_a_long_term_key_is_refused_in_its_own_words() {
    let p = || "p".to_owned();
    let cases = [
        ("sso_start_url = https://x.awsapps.com/start\n", ProfileProblem::Sso { profile: p() }),
        ("sso_session = corp\n", ProfileProblem::Sso { profile: p() }),
        ("role_arn = x\nweb_identity_token_file = /t\n", ProfileProblem::WebIdentity { profile: p() }),
        ("login_session = arn:aws:iam::1:user/a\n", ProfileProblem::Login { profile: p() }),
        ("region = eu-west-1\n", ProfileProblem::NoKeys { profile: p() }),
        (
            "role_arn = x\ncredential_source = Ec2InstanceMetadata\n",
            ProfileProblem::CredentialSource { profile: p(), taken_from: "Ec2InstanceMetadata".into() },
        ),
        (
            "aws_access_key_id = AKIAEXAMPLE000000001\n",
            ProfileProblem::HalfKey { profile: p(), missing: "aws_secret_access_key" },
        ),
        ("aws_secret_access_key = x\n", ProfileProblem::HalfKey { profile: p(), missing: "aws_access_key_id" }),
        (
            "aws_access_key_id = ASIAEXAMPLE000000001\naws_secret_access_key = x\n",
            ProfileProblem::Temporary { profile: p() },
        ),
        (&format!("{KEY}aws_session_token = t\n"), ProfileProblem::Temporary { profile: p() }),
    ];
    for (lines, want) in cases {
        let config = format!("[profile p]\n{lines}");
        let problem = resolve("", &config, "p").await.unwrap_err();
        assert_eq!(problem, want, "{lines}");
        assert!(!problem.hint().is_empty());
    }
}

#[tokio::test]
async fn a_key_id_that_is_none_is_refused_without_showing_it() {
    let text = "[p]\naws_access_key_id = wJalr/secret+in/the/wrong/line\naws_secret_access_key = x\n";
    let problem = resolve(text, "", "p").await.unwrap_err();
    assert!(matches!(problem, ProfileProblem::BadKeyId { .. }));
    assert!(!format!("{problem} {problem:?}").contains("wJalr"));
}

#[tokio::test]
async fn a_program_is_handed_to_the_caller_and_a_key_wins_over_it() {
    let config = "[profile p]\ncredential_process = keyrot-me credential-process --profile p\nregion = eu-west-1\n";
    let ProfileProblem::Process(process) = resolve("", config, "p").await.unwrap_err() else { panic!() };
    assert_eq!(process.command, "keyrot-me credential-process --profile p");
    assert_eq!((process.signing.as_str(), process.region.as_deref()), ("p", Some("eu-west-1")));
    let found = resolve(&format!("[p]\n{KEY}"), config, "p").await.unwrap();
    assert_eq!(process.with_key(found.key.clone()), found);
}

#[tokio::test]
async fn a_file_that_does_not_parse_is_named_with_its_line() {
    let Err(problem) = files("[default]\n\nnonsense\n", "").await else { panic!() };
    let text = problem.to_string();
    assert!(text.contains("credentials does not parse: line 3: "), "{text}");
    let Err(problem) = files("", "\u{feff}[default]\n").await else { panic!() };
    assert!(problem.to_string().contains("config does not parse: line 1: "), "{problem}");
    assert!(!problem.hint().is_empty());
}

#[tokio::test]
async fn missing_files_are_empty_and_text_that_is_none_is_refused() {
    let none = ProfileFiles::load(Path::new("/nowhere/credentials"), Path::new("/nowhere/config")).await.unwrap();
    assert!(none.names().is_empty());
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"[default]\nregion = \xff\n").unwrap();
    let Err(problem) = ProfileFiles::load(file.path(), Path::new("/nowhere/config")).await else { panic!() };
    assert!(problem.to_string().contains("not UTF-8"), "{problem}");
}
