//! Kinds of text that hold a key, kinds that do not, and that no error quotes what it read.

use proptest::prelude::*;

use super::*;

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const OTHER: &str = "AKIAI44QH8DHBEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const OTHER_SECRET: &str = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY";

/// The names in an AWS file are written small; a name of the SDK must not stand in this layer.
fn small(text: &str) -> String {
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    names.into_iter().fold(text.to_owned(), |text, name| text.replace(name, &name.to_lowercase()))
}

#[track_caller]
fn gives(text: &str) {
    let key = read(text.as_bytes()).unwrap_or_else(|not| panic!("{not} in line {:?} of {text:?}", not.line));
    assert_eq!((key.id.as_str(), key.secret.expose()), (ID, SECRET), "{text:?}");
}

#[track_caller]
fn refused(text: &str) -> NotAKey {
    let not = read(text.as_bytes()).expect_err(text);
    holds_no_secret(&not);
    not
}

fn holds_no_secret(not: &NotAKey) {
    let shown = format!("{not} {not:?} {}", not.problem.hint());
    for secret in [SECRET, OTHER_SECRET] {
        for at in 0..secret.len() - 8 {
            assert!(!shown.contains(&secret[at..at + 8]), "{shown}");
        }
    }
}

#[test]
fn the_consoles_csv_in_its_ages() {
    for text in [
        format!("Access key ID,Secret access key\r\n{ID},{SECRET}\r\n"),
        format!("\u{feff}Access key ID,Secret access key\r\n{ID},{SECRET}"),
        format!("\u{feff}\"Access key ID\",\"Secret access key\"\n\"{ID}\",\"{SECRET}\"\n"),
        format!(
            "User name,Password,Access key ID,Secret access key,Console login link\nalice,,{ID},{SECRET},https://123456789012.signin.aws.amazon.com/console\n"
        ),
        format!("User name,Password,Access key ID,Secret access key\n\"Smith, Alice\",\"a,\"\"b\",{ID},{SECRET}\n"),
        format!("\n\nSecret access key , access key id\n\n {SECRET} ,\t{ID}\n\n"),
        format!("Access key ID;Secret access key\n{ID};{SECRET}\n"),
        format!("Access key ID\tSecret access key\n{ID}\t{SECRET} \n"),
        format!("Access key ID,Secret access key\n{ID},{SECRET}\n{ID},{SECRET}\n"),
    ] {
        gives(&text);
    }
}

#[test]
fn the_json_of_sinks_tools_and_the_keychain() {
    for text in [
        format!(r#"{{"AccessKeyId":"{ID}","SecretAccessKey":"{SECRET}"}}"#),
        format!(r#"{{"Version":1,"AccessKeyId":"{ID}","SecretAccessKey":"{SECRET}"}}"#),
        format!(
            "{{\n  \"AccessKey\": {{\n    \"UserName\": \"alice\",\n    \"AccessKeyId\": \"{ID}\",\n    \"Status\": \"Active\",\n    \"SecretAccessKey\": \"{SECRET}\",\n    \"CreateDate\": \"2026-11-20T08:00:00Z\"\n  }}\n}}\n"
        ),
        format!(r#" [{{"AccessKeyId":"{ID}","SecretAccessKey":"{SECRET}"}}]"#),
        format!(r#"{{"access_key_id":"{ID}","secret_access_key":"{SECRET}"}}"#),
        format!(r#"{{"AccessKeyId":"{ID}","SecretAccessKey":"{SECRET}","SessionToken":""}}"#),
    ] {
        gives(&text);
    }
}

#[test]
fn lines_of_a_settings_file_and_of_shells() {
    for text in [
        format!("AWS_ACCESS_KEY_ID = {ID}\nAWS_SECRET_ACCESS_KEY = {SECRET}\n"),
        small(&format!(
            "# mine\n[default]\nAWS_ACCESS_KEY_ID={ID}\r\n  AWS_SECRET_ACCESS_KEY = {SECRET}  \r\nregion = eu-west-1\n"
        )),
        small(&format!(
            "[default]\nAWS_SECRET_ACCESS_KEY = {SECRET}\nAWS_ACCESS_KEY_ID = {ID}\n\n[profile other]\nregion = x\n"
        )),
        format!(
            "export AWS_ACCESS_KEY_ID=\"{ID}\"\nexport AWS_SECRET_ACCESS_KEY='{SECRET}'\nexport AWS_DEFAULT_REGION=us-east-1\n"
        ),
        format!("set AWS_ACCESS_KEY_ID={ID}\nSET AWS_SECRET_ACCESS_KEY={SECRET}\n"),
        format!("$Env:AWS_ACCESS_KEY_ID=\"{ID}\"\n$env:AWS_SECRET_ACCESS_KEY=\"{SECRET}\"\n"),
        format!("AWS_ACCESS_KEY_ID={ID};\nAWS_SECRET_ACCESS_KEY={SECRET};\n"),
    ] {
        gives(&text);
    }
}

#[test]
fn several_keys_are_named_and_none_is_guessed() {
    for text in [
        format!("Access key ID,Secret access key\n{ID},{SECRET}\n{OTHER},{OTHER_SECRET}\n"),
        format!(
            r#"[{{"AccessKeyId":"{ID}","SecretAccessKey":"{SECRET}"}},{{"AccessKeyId":"{OTHER}","SecretAccessKey":"{OTHER_SECRET}"}}]"#
        ),
        format!(
            "[a]\nAWS_ACCESS_KEY_ID={ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\n[b]\nAWS_ACCESS_KEY_ID={OTHER}\nAWS_SECRET_ACCESS_KEY={OTHER_SECRET}\n"
        ),
        format!("AWS_ACCESS_KEY_ID={ID}\nAWS_ACCESS_KEY_ID={OTHER}\nAWS_SECRET_ACCESS_KEY={OTHER_SECRET}\n"),
    ] {
        let not = refused(&text);
        assert_eq!(not.to_string(), format!("it holds several access keys: {ID}, {OTHER}"), "{text}");
    }
    let not = refused(&format!("Access key ID,Secret access key\n{ID},{SECRET}\n{ID},{OTHER_SECRET}\n"));
    assert_eq!(not.problem, Problem::SeveralSecrets(KeyId::new(ID).unwrap()));
}

#[test]
fn what_holds_no_key_is_told_by_its_kind() {
    for (bytes, problem) in [
        (&b""[..], Problem::Empty),
        (b" \r\n\t\n", Problem::Empty),
        (b"\xef\xbb\xbf", Problem::Empty),
        (b"\xff\xfeA\0c\0", Problem::Utf16),
        (b"\x7fELF\x02\x01\x01\0\0", Problem::Binary),
        (b"caf\xe9", Problem::Binary),
        (b"Access key ID,Secret access key\n", Problem::Nothing),
        (b"Access key ID,Secret access key", Problem::Nothing),
        (b"hello\nworld = 1\n", Problem::Nothing),
        (b"{}", Problem::Nothing),
        (b"[]", Problem::Nothing),
        (b"Access key ID,User\nAKIAIOSFODNN7EXAMPLE,alice\n", Problem::Half("the column 'Secret access key'")),
    ] {
        assert_eq!(read(bytes).unwrap_err().problem, problem, "{bytes:?}");
    }
    assert_eq!(read(&vec![b'\n'; LONGEST + 1]).unwrap_err().problem, Problem::TooLarge);
    let json = refused("{\n \"AccessKeyId\": \"x\",\n \"SecretAccessKey\": 5 }");
    assert_eq!((json.line, json.problem), (Some(3), Problem::Json));
    assert_eq!(refused(&format!("{{\"AccessKeyId\":\"{ID}\",\"SecretAccessKey\":\"{SECRET}")).problem, Problem::Json);
}

#[test]
fn a_line_to_blame_is_named() {
    for (text, line, problem) in [
        (format!("Access key ID,Secret access key\n\n{ID},\n"), 3, Problem::Half("the secret")),
        (format!("\r\n\r\nAccess key ID,Secret access key\r\n\r\n{ID},\r\n"), 5, Problem::Half("the secret")),
        (format!("Access key ID,Secret access key\n,{SECRET}\n"), 2, Problem::Half("the access key id")),
        (format!("Access key ID,Secret access key\n{SECRET},{ID}\n"), 2, Problem::Swapped),
        (format!("Access key ID,Secret access key\nASIAIOSFODNN7EXAMPLE,{SECRET}\n"), 2, Problem::Temporary),
        (format!("x = 1\nAWS_ACCESS_KEY_ID={ID}\n"), 2, Problem::Half("the secret")),
        (format!("AWS_ACCESS_KEY_ID={SECRET}\nAWS_SECRET_ACCESS_KEY={ID}\n"), 2, Problem::Swapped),
        (
            format!("AWS_ACCESS_KEY_ID={ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\nAWS_SESSION_TOKEN=IQoJ\n"),
            2,
            Problem::Temporary,
        ),
        (
            format!("AWS_ACCESS_KEY_ID=akia\nAWS_SECRET_ACCESS_KEY={SECRET}\n"),
            2,
            Problem::Id("an id has 16 to 128 characters"),
        ),
    ] {
        let not = refused(&text);
        assert_eq!((not.line, &not.problem), (Some(line), &problem), "{text}");
    }
    let session = format!(
        r#"{{"Credentials":{{"AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"{SECRET}","SessionToken":"IQoJ"}}}}"#
    );
    assert_eq!(refused(&session).problem, Problem::Temporary);
}

#[test]
fn a_secret_that_is_none_is_told_why() {
    for (secret, why) in [
        (SECRET[..39].to_owned(), "fewer than 40"),
        (format!("{SECRET}x"), "more than 40"),
        (format!("{} {}", &SECRET[..20], &SECRET[20..]), "white space"),
        (format!("{}\n{}", &SECRET[..20], &SECRET[20..]), "line break"),
        (format!("{}é{}", &SECRET[..20], &SECRET[22..]), "no secret has"),
        ("*".repeat(40), "masked"),
        (OTHER.to_owned(), "an access key id"),
    ] {
        let not = refused(&format!("Access key ID,Secret access key\n{ID},\"{secret}\"\n"));
        assert!(not.to_string().contains(why) && not.to_string().contains(ID), "{not}");
        assert_eq!(not.line, Some(2));
    }
    gives(&format!("Access key ID,Secret access key\n\" {ID}\",\"{SECRET} \n\"\n"));
}

#[test]
fn typed_parts_are_judged_alike() {
    assert_eq!(typed(&format!(" {ID}\n"), &format!("{SECRET}\r\n")).unwrap().secret.expose(), SECRET);
    assert_eq!(typed(SECRET, ID).unwrap_err().problem, Problem::Swapped);
    assert_eq!(typed(ID, "").unwrap_err().problem, Problem::Half("the secret"));
    assert_eq!(typed("", "").unwrap_err().problem, Problem::Nothing);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Err(not) = read(&bytes) {
            holds_no_secret(&not);
        }
    }

    /// Texts like the real ones, cut, doubled and mixed at random.
    #[test]
    fn damaged_texts_give_the_key_or_an_error_that_quotes_nothing(
        pieces in proptest::collection::vec(prop_oneof![
            Just("Access key ID,Secret access key\r\n".to_owned()), Just(ID.to_owned()), Just(SECRET.to_owned()),
            Just(OTHER.to_owned()), Just(OTHER_SECRET.to_owned()), Just("AWS_ACCESS_KEY_ID=".to_owned()),
            Just("export AWS_SECRET_ACCESS_KEY=".to_owned()), Just("{\"AccessKeyId\":\"".to_owned()),
            Just("\",\"SecretAccessKey\":\"".to_owned()), Just("\"}".to_owned()), Just("[".to_owned()),
            Just("\n".to_owned()), Just(",".to_owned()), Just("\"".to_owned()), Just(" ".to_owned()), "\\PC{0,4}",
        ], 0..14),
        cut in 0..40_usize,
    ) {
        let text: String = pieces.concat();
        let kept: String = text.chars().take(text.chars().count().saturating_sub(cut)).collect();
        for text in [text, kept] {
            match read(text.as_bytes()) {
                Ok(key) => prop_assert!(key.secret.expose().len() == 40 && text.contains(key.secret.expose())),
                Err(not) => holds_no_secret(&not),
            }
        }
    }
}
