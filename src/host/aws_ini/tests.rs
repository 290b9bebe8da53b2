//! Tables; `properties.rs` has what is generated, `check.rs` the promise itself.

use super::*;
use crate::host::aws_ini;
use crate::keys::{facts, secret};

mod check;
mod edits;
mod properties;

use check::{NEW, NEW_SECRET, OLD};

const OLD_SECRET: &str = "old/Secret+0000000000000000000000000000";

fn id(text: &str) -> KeyId {
    KeyId::new(text).unwrap()
}

fn key(key_id: &str, secret: &str) -> AccessKey {
    AccessKey { id: id(key_id), secret: SecretKey::new(secret.to_owned()) }
}

fn credentials(text: &str) -> AwsIni {
    AwsIni::parse(FileKind::Credentials, text.as_bytes()).unwrap()
}

fn rotated(kind: FileKind, text: &str) -> Result<String, IniError> {
    let file = AwsIni::parse(kind, text.as_bytes())?;
    let bytes = file.replace_key(&id(OLD), &key(NEW, NEW_SECRET))?;
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

/// Only right where neither value stands anywhere else in the text.
fn swapped(text: &str) -> String {
    text.replace(OLD, NEW).replace(OLD_SECRET, NEW_SECRET)
}

fn pair() -> String {
    format!("aws_access_key_id = {OLD}\naws_secret_access_key = {OLD_SECRET}\n")
}

#[test]
fn every_section_with_the_old_key_is_edited_and_every_other_byte_stays() {
    let nested = "AKIANESTED0000000004";
    let text = format!(
        "# mine\r\n\n[default] ; note\r\naws_access_key_id={OLD}   # note\r\n\
         AWS_SECRET_ACCESS_KEY   =\t{OLD_SECRET} \t\r\n\n\
         [other]\naws_access_key_id = AKIAOTHER00000000003\naws_secret_access_key = x\nx = 1\nx = 2\n[other]\nx = 3\n  \n\
         [work]\ns3 =\n  aws_access_key_id = {nested}\n\n  max = 2\n\
         aws_secret_access_key = {OLD_SECRET}\n;end\naws_access_key_id ={OLD}"
    );
    assert_eq!(rotated(FileKind::Credentials, &text).unwrap(), swapped(&text));
}

#[test]
fn a_nested_block_with_the_old_key_is_not_touched() {
    let nested = format!("x =\n  aws_access_key_id = {OLD}\n  aws_secret_access_key = {OLD_SECRET}\n");
    let text = format!("[a]\n{nested}{}", pair());
    let edited = rotated(FileKind::Credentials, &text).unwrap();
    assert_eq!(edited, format!("[a]\n{nested}{}", swapped(&pair())));
    let only_nested = rotated(FileKind::Credentials, &format!("[a]\n{nested}")).unwrap_err();
    assert_eq!(only_nested.problem, Problem::NotHeld(id(OLD)));
}

/// How the SDK reads the secret, row by row of the measured differences between ini readers.
#[test]
fn values_are_read_as_the_sdk_reads_them() {
    let rows = [
        ("aws_secret_access_key = ab\\cd\\nef\n", "ab\\cd\\nef"),
        ("aws_secret_access_key = \"abc\"\n", "\"abc\""),
        ("aws_secret_access_key = abc #note\n", "abc"),
        ("aws_secret_access_key = abc ;note\n", "abc"),
        ("aws_secret_access_key = abc#note\n", "abc#note"),
        ("AWS_SECRET_ACCESS_KEY = abc\n", "abc"),
        ("aws_secret_access_key = first\naws_secret_access_key = abc\n", "abc"),
        ("aws_secret_access_key = first\n[a]\naws_secret_access_key = abc\n", "abc"),
        ("s3 =\n  aws_secret_access_key = nested\naws_secret_access_key = abc\n", "abc"),
        ("aws_secret_access_key = a=b=\r\n", "a=b="),
    ];
    for (lines, expected) in rows {
        for header in ["[a]", "[a] # comment", "[ a ]"] {
            let lines = if header == "[a]" { lines.to_owned() } else { lines.replace("[a]", header) };
            let held = credentials(&format!("{header}\naws_access_key_id = {OLD}\n{lines}")).keys();
            assert_eq!(held.len(), 1, "{lines:?}");
            assert_eq!(held[0].key.as_ref().unwrap().secret.expose(), expected, "{lines:?}");
        }
    }
}

#[test]
fn what_aws_tools_refuse_is_refused_with_its_line() {
    let rows: [(&[u8], Option<usize>, Problem); 17] = [
        (b"\xEF\xBB\xBF[a]\nx=1\n", Some(1), Problem::ByteOrderMark),
        (b"\xFF\xFE[\0a\0]\0", Some(1), Problem::ByteOrderMark),
        (b"[a]\nx=\xFF\n", Some(2), Problem::NotUtf8),
        (b"[a]\n\nx=\0\n", Some(3), Problem::Nul),
        (b"[a]\rx=1\r", Some(1), Problem::LoneCarriageReturn),
        (b"[a]\n# c\rx=1\n", Some(2), Problem::LoneCarriageReturn),
        (b"[a]\nx=1\r", Some(2), Problem::LoneCarriageReturn),
        (b"[a\nx=1\n", Some(1), Problem::UnclosedHeader),
        (b"[a] b\nx=1\n", Some(1), Problem::UnclosedHeader),
        (b"\nx=1\n[a]\n", Some(2), Problem::BeforeAnySection),
        (b"  x=1\n[a]\n", Some(1), Problem::BeforeAnySection),
        (b"[a]\n  x=1\n", Some(2), Problem::IndentedFirstProperty),
        (b"[a]\nx: 1\n", Some(2), Problem::NoEquals),
        (b"[a]\ngarbage\n", Some(2), Problem::NoEquals),
        (b"[a]\n = 1\n", Some(2), Problem::IndentedFirstProperty),
        (b"[a]\n=1\n", Some(2), Problem::NoName),
        (b"[a]\ns3 =\n  x=1\n  # c\n", Some(4), Problem::BadNestedLine { under: "s3".into() }),
    ];
    for (bytes, line, problem) in rows {
        let error = AwsIni::parse(FileKind::Credentials, bytes).unwrap_err();
        assert_eq!((error.line, &error.problem), (line, &problem), "{bytes:?}");
        assert!(!error.hint().is_empty());
    }
    let large = vec![b'\n'; MAX_BYTES + 1];
    assert_eq!(AwsIni::parse(FileKind::Config, &large).unwrap_err().problem, Problem::TooLarge);
    assert!(AwsIni::parse(FileKind::Config, &large[1..]).is_ok());
}

#[test]
fn duplicates_are_refused_where_we_edit_and_named_by_both_lines() {
    let pair = pair();
    let rows = [
        (format!("[a]\n{pair}[b]\n[a]\nx=1\n"), "line 5: section [a] stands here again; it began on line 1"),
        (format!("[ a ]\n{pair}[a]\n"), "line 4: section [ a ] stands here again; it began on line 1"),
        (
            format!("[a]\n{pair}AWS_ACCESS_KEY_ID = {OLD}\n"),
            "line 4: 'aws_access_key_id' stands twice in section [a]; the first is on line 2",
        ),
        (format!("[a]\nx=1\n{pair}x=2\n"), "line 5: 'x' stands twice in section [a]; the first is on line 2"),
        (
            format!("[a]\naws_access_key_id = {OLD}\naws_access_key_id = AKIAOTHER00000000003\n"),
            "line 3: 'aws_access_key_id' stands twice in section [a]; the first is on line 2",
        ),
    ];
    for (text, message) in rows {
        assert_eq!(rotated(FileKind::Credentials, &text).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn a_key_that_cannot_be_replaced_in_place_is_refused() {
    let secret = format!("aws_secret_access_key = {OLD_SECRET}\n");
    let rows = [
        (format!("[a]\naws_access_key_id = {OLD}\n"), Some(1), "no aws_secret_access_key"),
        (format!("[a]\naws_access_key_id = {OLD}\n x\n{secret}"), Some(2), "more than one line"),
        (format!("[a]\naws_access_key_id = {OLD}\n{secret}  # indented\n"), Some(3), "more than one line"),
        (format!("[a]\naws_access_key_id = {OLD}\naws_secret_access_key =\n  x = 1\n"), Some(3), "more than one line"),
        (format!("[a]\naws_access_key_id = \"{OLD}\"\n{secret}"), None, "no profile in the file holds"),
        (format!("# aws_access_key_id = {OLD}\n[a]\n{secret}"), None, "no profile in the file holds"),
    ];
    for (text, line, message) in rows {
        let error = rotated(FileKind::Credentials, &text).unwrap_err();
        assert_eq!(error.line, line, "{text}");
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn a_secret_that_the_file_cannot_carry_is_refused() {
    let file = credentials(&format!("[a]\n{}", pair()));
    for bad in ["", "a b", "a\nb = 1", "#abc", ";abc", "ä", "a\0", "a\r", " a"] {
        let error = file.replace_key(&id(OLD), &key(NEW, bad)).unwrap_err();
        assert_eq!(error.problem, Problem::SecretNotWritable, "{bad:?}");
    }
    assert!(file.replace_key(&id(OLD), &key(NEW, "a#b;c\"'=\\%")).is_ok());
}

#[test]
fn a_result_that_does_not_read_as_meant_is_not_returned() {
    let text = format!("[a]\n{}", pair());
    let file = credentials(&text);
    let block = &file.blocks[0];
    let edits = [(&block.properties[0], NEW), (&block.properties[1], NEW_SECRET)];
    let good = file.splice(&edits);
    assert_eq!(file.prove(&edits, &good), Ok(()));
    let wrong = [
        text.clone(),
        swapped(&text).replace(NEW_SECRET, "other"),
        swapped(&text).replace("[a]", "[b]"),
        format!("{}x = 1\n", swapped(&text)),
        format!("{}garbage", swapped(&text)),
    ];
    for bytes in wrong {
        assert_eq!(file.prove(&edits, bytes.as_bytes()).unwrap_err().problem, Problem::EditNotProved, "{bytes}");
    }
}

#[test]
fn sections_are_named_as_each_kind_of_file_names_them() {
    let pair = pair();
    let text =
        format!("[default]\n{pair}[profile default]\n{pair}[profile w]\n{pair}[w]\n{pair}[sso-session s]\n{pair}");
    let config = AwsIni::parse(FileKind::Config, text.as_bytes()).unwrap();
    assert_eq!(config.profiles(), ["default", "w"]);
    let lines: Vec<_> =
        config.keys().into_iter().map(|held| (held.profile, held.header_line, held.secret_line)).collect();
    assert_eq!(lines, [("default".to_owned(), 4, 6), ("w".to_owned(), 7, 9)], "[profile default] wins");
    let reordered =
        AwsIni::parse(FileKind::Config, b"[profile default]\nregion = r\n[default]\nregion = s\noutput = o\n");
    let reordered = reordered.unwrap();
    assert_eq!((reordered.get("default", "region").as_deref(), reordered.get("default", "output")), (Some("r"), None));
    // The shadowed [default] is botocore's to read; [w] and [sso-session s] are nobody's profile.
    let edited = rotated(FileKind::Config, &text).unwrap();
    assert_eq!((edited.matches(NEW).count(), edited.matches(OLD).count()), (3, 2));

    let text = format!("[w]\n{pair}[my profile]\n{pair}[profile p]\n");
    assert_eq!(credentials(&text).profiles(), ["w"]);
    assert_eq!(rotated(FileKind::Credentials, &text).unwrap(), swapped(&text), "botocore reads [my profile]");
}

#[test]
fn held_keys_tell_what_is_in_the_way_and_never_quote_it() {
    let text = format!(
        "[ok]\n{pair}region = eu-central-1\n[temporary]\naws_access_key_id = ASIATEMPORARY0000001\n\
         aws_secret_access_key = s1\naws_session_token = t1\n[swapped]\naws_access_key_id = {OLD_SECRET}\n\
         aws_secret_access_key = {OLD}\n[half]\naws_access_key_id = {OLD}\n[empty]\naws_access_key_id = {OLD}\n\
         aws_secret_access_key =\n",
        pair = pair()
    );
    let file = credentials(&text);
    let held = file.keys();
    let names: Vec<_> =
        held.iter().map(|held| (held.profile.as_str(), held.key.is_ok(), held.has_session_token)).collect();
    assert_eq!(
        names,
        [("ok", true, false), ("temporary", false, true), ("swapped", false, false), ("empty", false, false)]
    );
    let shown = format!("{held:?} {file:?}");
    assert!(!shown.contains(OLD_SECRET) && !shown.contains("s1") && !shown.contains("t1"), "{shown}");
    assert_eq!(file.get("ok", "Region").as_deref(), Some("eu-central-1"));
    assert_eq!(file.get("ok", "aws_secret_access_key"), None);
    assert_eq!(file.get("none", "region"), None);
}

#[test]
fn a_reading_that_differs_from_the_sdks_is_refused() {
    let mut file = credentials(&format!("[a]\n{}", pair()));
    assert_eq!(sdk::agrees_with(&file), Ok(()));
    file.blocks[0].properties[1].value.end -= 1;
    let error = sdk::agrees_with(&file).unwrap_err();
    assert_eq!(error.problem, Problem::SdkDisagrees { profile: "a".into() });
    file.blocks.clear();
    assert!(sdk::agrees_with(&file).is_err(), "a profile that only the SDK sees");
}
