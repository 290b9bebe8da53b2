//! Adding and removing lines of one profile: tables, and generated files judged by the SDK and by the bytes.

use proptest::prelude::*;

use super::check::{self, NEW, NEW_SECRET, OLD};
use super::properties::{NAMES, OLD_SECRET, file, kinds, render, word};
use super::*;

const PROCESS: &str = "credential_process";
const LINE: &str = "\"/opt/my tools/keyrot-me\" credential-process --profile work";

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn parsed(kind: FileKind, text: &str) -> AwsIni {
    AwsIni::parse(kind, text.as_bytes()).unwrap()
}

fn with(kind: FileKind, before: &str, profile: &str) -> String {
    text(&parsed(kind, before).with_property(profile, PROCESS, LINE).unwrap())
}

fn without(kind: FileKind, before: &str, profile: &str, names: &[&'static str]) -> Option<String> {
    parsed(kind, before).without_properties(profile, names).unwrap().map(|bytes| text(&bytes))
}

#[test]
fn a_property_stands_where_it_stood_or_behind_the_last_one_or_in_a_new_section() {
    let line = format!("{PROCESS} = {LINE}");
    let rows = [
        ("", format!("[profile work]\n{line}\n")),
        ("[default]\n", format!("[default]\n\n[profile work]\n{line}\n")),
        ("[default]\nx = 1", format!("[default]\nx = 1\n\n[profile work]\n{line}\n")),
        ("[default]\r\nx = 1\r\n", format!("[default]\r\nx = 1\r\n\r\n[profile work]\r\n{line}\r\n")),
        ("[default]\n\n", format!("[default]\n\n[profile work]\n{line}\n")),
        ("[profile work]", format!("[profile work]\n{line}")),
        ("[profile work]\r\nx=1", format!("[profile work]\r\nx=1\r\n{line}")),
        (
            "[profile work] # mine\n# first\n\nx = 1\n\n# of b\n[profile b]\n",
            format!("[profile work] # mine\n# first\n\nx = 1\n{line}\n\n# of b\n[profile b]\n"),
        ),
        (
            "[profile work]\ns3 =\n  a = 1\n\n  b = 2\n\n[profile b]\nx=1\nx=2\n[profile b]\n",
            format!("[profile work]\ns3 =\n  a = 1\n\n  b = 2\n{line}\n\n[profile b]\nx=1\nx=2\n[profile b]\n"),
        ),
        (
            "[profile work]\nCredential_Process=old  \nx = 1\n",
            format!("[profile work]\nCredential_Process={LINE}  \nx = 1\n"),
        ),
        ("[profile work]\ncredential_process =\n", format!("[profile work]\ncredential_process ={LINE}\n")),
    ];
    for (before, after) in rows {
        assert_eq!(with(FileKind::Config, before, "work"), after, "{before:?}");
        assert_eq!(with(FileKind::Config, &after, "work"), after, "a second time changes nothing: {before:?}");
    }
    assert_eq!(with(FileKind::Config, "", "default"), format!("[default]\n{line}\n"));
    assert_eq!(with(FileKind::Credentials, "", "work"), format!("[work]\n{line}\n"));
    let prefixed = "[profile default]\nx = 1\n";
    assert_eq!(with(FileKind::Config, prefixed, "default"), format!("{prefixed}{line}\n"));
}

#[test]
fn whole_lines_go_and_nothing_else() {
    let rows = [
        ("[a]\nx = 1 # note\ny = 2\n", &["x"][..], "[a]\ny = 2\n"),
        ("[a]\r\nX\t= 1\r\n\r\n# end\r\n[b]\r\nx = 1", &["x"], "[a]\r\n\r\n# end\r\n[b]\r\nx = 1"),
        ("[b]\nx = 2\n[a]\nx = 1", &["x"], "[b]\nx = 2\n[a]"),
        ("[a]\nz = 1\nx = 1\ny = 2", &["x", "y"], "[a]\nz = 1"),
        ("[a]\r\nx = 1\r\nz = 3\r\ny = 2", &["x", "y"], "[a]\r\nz = 3"),
        ("[a]\ns3 =\n  x = 1\n", &["x"], "none"),
        ("[a]\ny = 1\n", &["x"], "none"),
        ("[a]\nx = 1\n[c]\nx = 1\nx = 2\n[c]\n", &["x"], "[a]\n[c]\nx = 1\nx = 2\n[c]\n"),
    ];
    for (before, names, after) in rows {
        let found = without(FileKind::Credentials, before, "a", names);
        assert_eq!(found.as_deref().unwrap_or("none"), after, "{before:?}");
    }
}

#[test]
fn a_key_is_put_beside_what_is_there_and_taken_out_again() {
    let pair = format!("aws_access_key_id = {NEW}\naws_secret_access_key = {NEW_SECRET}\n");
    let rows = [
        ("", format!("[work]\n{pair}")),
        ("[work]\n", format!("[work]\n{pair}")),
        ("[work]\nregion = x\n[b]\n", format!("[work]\nregion = x\n{pair}[b]\n")),
        (
            "[work]\naws_access_key_id=AKIAOTHER00000000003\nregion = x\n",
            format!("[work]\naws_access_key_id={NEW}\nregion = x\naws_secret_access_key = {NEW_SECRET}\n"),
        ),
        ("[work]\nAWS_SECRET_ACCESS_KEY = s\naws_access_key_id=AKIAOTHER00000000003", {
            format!("[work]\nAWS_SECRET_ACCESS_KEY = {NEW_SECRET}\naws_access_key_id={NEW}")
        }),
    ];
    for (before, after) in rows {
        let put = parsed(FileKind::Credentials, before).with_key("work", &key(NEW, NEW_SECRET)).unwrap();
        assert_eq!(text(&put), after);
        let held = parsed(FileKind::Credentials, &after).keys();
        assert_eq!(held[0].key, Ok(key(NEW, NEW_SECRET)));
    }
}

#[test]
fn what_is_ambiguous_in_the_section_is_refused_with_its_line_and_a_fix() {
    let rows = [
        ("[a]\nx=1\n[b]\n[a]\n", "line 4: section [a] stands here again; it began on line 1"),
        ("[a]\nx=1\n[ a ]\n", "line 3: section [ a ] stands here again; it began on line 1"),
        ("[a]\nx=1\ny=1\nx=2\n", "line 4: 'x' stands twice in section [a]; the first is on line 2"),
        ("[a]\nx=1\n  # more\n", "line 2: the value of 'x' in section [a] goes on over more than one line"),
        ("[a]\nx =\n y=1\n", "line 2: the value of 'x' in section [a] goes on over more than one line"),
    ];
    for (before, message) in rows {
        let file = credentials(before);
        for error in [file.with_property("a", "x", "v").unwrap_err(), file.without_properties("a", &["x"]).unwrap_err()]
        {
            assert_eq!(error.to_string(), message, "{before:?}");
            assert!(!error.hint().is_empty());
        }
    }
    let both = parsed(FileKind::Config, "[default]\nx=1\n[profile default]\n");
    let message = "line 3: section [profile default] stands here again; it began on line 1";
    assert_eq!(both.with_property("default", "x", "v").unwrap_err().to_string(), message);
    let noted = credentials("[a]\nx = 1 # note\n").with_property("a", "x", "v").unwrap_err();
    assert_eq!(noted.to_string(), "line 2: a comment stands behind the value of 'x' in section [a]");
    let token = credentials("[a]\naws_session_token = t\n").with_key("a", &key(NEW, NEW_SECRET)).unwrap_err();
    assert_eq!(token.line, Some(2));
    let spoiled = credentials("").with_property("my profile", "x", "v").unwrap_err();
    assert_eq!(spoiled.problem, Problem::ProfileName("my profile".into()));
    for value in ["", " v", "v ", "#v", "v #w", "v\t;w", "v\nw", "v\0", "v\u{a0}#w", "\u{a0}"] {
        let error = credentials("[a]\n").with_property("a", "x", value).unwrap_err();
        assert_eq!(error.problem, Problem::ValueNotWritable { property: "x" }, "{value:?}");
    }
    for secret in ["", "a b", "#a", "ä"] {
        let error = credentials("[a]\n").with_key("a", &key(NEW, secret)).unwrap_err();
        assert_eq!(error.problem, Problem::SecretNotWritable);
    }
}

#[test]
fn sections_that_hold_an_id_are_all_found() {
    let pair = pair();
    let file = credentials(&format!("[a]\n{pair}[my profile]\n{pair}[b]\nx=1\n[profile c]\n{pair}"));
    assert_eq!(file.sections_with(&id(OLD)), [(Some("a".to_owned()), 1), (None, 4), (None, 9)]);
}

#[test]
fn an_edit_that_does_not_read_as_meant_is_not_returned() {
    let file = credentials("[a]\nx = 1\n");
    let meant = [("a".to_owned(), "x".to_owned(), Zeroizing::new("2".to_owned()))];
    assert_eq!(file.prove_edit(&meant, b"[a]\nx = 2\n"), Ok(()));
    for other in ["[a]\nx = 1\n", "[b]\nx = 2\n", "[a]\nx = 2\ny = 1\n", "[a]\n", "garbage"] {
        assert_eq!(file.prove_edit(&meant, other.as_bytes()).unwrap_err().problem, Problem::EditNotProved, "{other}");
    }
}

/// `after` is `before` with one piece put in, or with one piece of a line replaced.
fn common(before: &str, after: &str) -> (usize, usize) {
    let head = before.bytes().zip(after.bytes()).take_while(|(one, other)| one == other).count();
    let left = before.len().min(after.len()) - head;
    let tail = before.bytes().rev().zip(after.bytes().rev()).take(left).take_while(|(one, other)| one == other).count();
    (head, tail)
}

fn only_this_profile_differs(kind: FileKind, before: &str, after: &str, profile: &str, names: &[&str]) {
    let (was, is) = (check::sdk(kind, before).unwrap(), check::sdk(kind, after).unwrap());
    for name in is.profiles() {
        let Some(was) = was.get_profile(name) else {
            assert_eq!(name, profile, "a new profile");
            continue;
        };
        let is = is.get_profile(name).unwrap();
        if name != profile {
            assert_eq!(was, is, "{name}");
            continue;
        }
        for property in ["region", "output", "mfa_serial", "s3", "source_profile", "role_arn", ID, SECRET, PROCESS] {
            if !names.contains(&property) {
                assert_eq!(was.get(property), is.get(property), "{name} {property}");
            }
        }
    }
    for name in was.profiles() {
        assert!(is.get_profile(name).is_some(), "{name} is gone");
    }
}

fn any_profile() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(NAMES.iter().copied().chain(["fresh", "dup-work"]).collect::<Vec<_>>())
}

fn refused_in_words(error: &IniError) {
    assert!(
        matches!(
            error.problem,
            Problem::DuplicateSection { .. }
                | Problem::DuplicateProperty { .. }
                | Problem::SeveralLines { .. }
                | Problem::CommentBehind { .. }
                | Problem::HasToken { .. }
        ),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_property_that_is_put_in_can_be_taken_out_again(
        (kind, (pieces, _)) in kinds().prop_flat_map(|kind| (Just(kind), file(kind))), profile in any_profile()
    ) {
        let before = render(&pieces, OLD, OLD_SECRET);
        let original = parsed(kind, &before);
        let after = match original.with_property(profile, PROCESS, LINE) {
            Ok(after) => text(&after),
            Err(error) => {
                refused_in_words(&error);
                return Ok(());
            }
        };
        let sections = check::sdk(kind, &after).unwrap();
        prop_assert_eq!(sections.get_profile(profile).unwrap().get(PROCESS), Some(LINE));
        only_this_profile_differs(kind, &before, &after, profile, &[PROCESS]);
        let (head, tail) = common(&before, &after);
        if original.get(profile, PROCESS).is_some() {
            prop_assert!(head + tail >= before.len() - "/bin/x \\".len(), "only the value");
            return Ok(());
        }
        prop_assert_eq!(head + tail, before.len(), "nothing but an insertion");
        let back = without(kind, &after, profile, &[PROCESS]).unwrap();
        if original.profiles().contains(&profile) {
            prop_assert_eq!(&back, &before);
        } else {
            let header = format!("{profile}]");
            prop_assert!(back.starts_with(&before) && back[before.len()..].trim().ends_with(&header), "{}", back);
        }
    }

    #[test]
    fn a_key_that_is_taken_out_and_put_in_is_the_same_key_and_no_other_line_moves(
        (kind, (pieces, holders)) in kinds().prop_flat_map(|kind| (Just(kind), file(kind)))
    ) {
        let before = render(&pieces, OLD, OLD_SECRET);
        let Some(profile) = holders.first() else { return Ok(()) };
        let taken = match parsed(kind, &before).without_properties(profile, &[ID, SECRET]) {
            Ok(taken) => text(&taken.unwrap()),
            Err(error) => {
                refused_in_words(&error);
                return Ok(());
            }
        };
        only_this_profile_differs(kind, &before, &taken, profile, &[ID, SECRET]);
        let mut kept = taken.lines();
        let gone: Vec<&str> = before.lines().filter(|line| {
            let mut rest = kept.clone();
            let same = rest.next() == Some(*line);
            if same { kept = rest; }
            !same
        }).collect();
        prop_assert_eq!(kept.next(), None, "no line is new or moved");
        prop_assert_eq!(gone.len(), 2);
        prop_assert!(gone.iter().any(|line| line.contains(OLD)) && gone.iter().any(|line| line.contains(OLD_SECRET)));
        let put = text(&parsed(kind, &taken).with_key(profile, &key(OLD, OLD_SECRET)).unwrap());
        only_this_profile_differs(kind, &before, &put, profile, &[]);
        prop_assert_eq!(without(kind, &put, profile, &[ID, SECRET]), Some(taken));
    }

    #[test]
    fn soup_is_edited_as_promised_or_refused_in_words(
        kind in kinds(), words in proptest::collection::vec(word(), 0..30), profile in any_profile()
    ) {
        let before = words.concat();
        let Ok(original) = AwsIni::parse(kind, before.as_bytes()) else { return Ok(()) };
        match original.with_key(profile, &key(NEW, NEW_SECRET)) {
            Ok(put) => {
                let held = parsed(kind, &text(&put)).keys();
                prop_assert!(held.iter().any(|held| held.profile == profile && held.key == Ok(key(NEW, NEW_SECRET))));
            }
            Err(error) => refused_in_words(&error),
        }
        match original.without_properties(profile, &[ID, SECRET, "x"]) {
            Ok(Some(taken)) => {
                let read = parsed(kind, &text(&taken));
                prop_assert!([ID, "x"].iter().all(|name| read.get(profile, name).is_none()));
            }
            Ok(None) => prop_assert!([ID, "x"].iter().all(|name| original.get(profile, name).is_none())),
            Err(error) => refused_in_words(&error),
        }
    }
}
