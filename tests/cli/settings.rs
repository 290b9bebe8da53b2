//! `config.toml`: every mistake is named with file, line and value before any call.

use super::*;

#[track_caller]
fn complains(text: &str, line: usize, words: &[&str]) {
    let station = station();
    station.settings(text);
    let place = format!("{}:{line}: ", station.path(".config/keyrot-me/config.toml").display());
    for command in ["rotate", "status", "finish", "rollback"] {
        let words: Vec<&str> = [place.as_str()].iter().chain(words).copied().collect();
        refused_before_any_call(&station, || station.run(&[command]), 2, &words);
    }
}

#[test]
fn an_unknown_key_is_refused_and_the_nearest_named() {
    complains("[rotation]\n\nmax_aeg = \"5d\"\n", 3, &["\"max_aeg\"", "did you mean \"max_age\"?"]);
    complains("[rotatoin]\nmax_age = \"5d\"\n", 1, &["\"rotatoin\"", "did you mean \"rotation\"?"]);
    complains("# a\r\n[profile.work.mfa]\r\nserail = \"x\"\r\n", 3, &["\"serail\"", "did you mean \"serial\"?"]);
}

#[test]
fn values_that_make_no_sense_are_refused() {
    complains("[rotation]\nmax_age = \"5 parsecs\"\n", 2, &["\"5 parsecs\"", "90s, 15m, 24h, 5d, 2w"]);
    complains("[rotation]\nretire_after = \"-1d\"\n", 2, &["\"-1d\""]);
    complains("[rotation]\nmax_age = 5\n", 2, &["integer `5`"]);
    complains("[purge]\nlimit = \"0\"\n", 2, &["\"0\"", "every key"]);
    complains("[purge]\nlimit = \"5d\"\nat = \"Freitag\"\n", 3, &["\"Freitag\"", "Fri 23:55"]);
    complains("[purge]\nlimit = \"5d\"\nat = \"Fri 23:55\"\ntimezone = \"Mars\"\n", 4, &["\"Mars\"", "Europe/Berlin"]);
    complains("[rotation.settle]\nevery = \"1h\"\n", 2, &["does not fit"]);
    complains("[mfa]\ncommand = \"ykman 'oath\"\n", 2, &["quote"]);
    complains("\n[store]\nkind = \"cloud\"\n", 3, &["cloud", "keychain"]);
    complains("[rotation\n", 1, &[]);
    complains("[rotation]\nmax_age = \"5d\"\nmax_age = \"6d\"\n", 3, &["duplicate key"]);
}

#[test]
fn sections_that_are_not_available_are_refused_and_not_ignored() {
    complains("[notify]\ndesktop = \"yes\"\n", 2, &["\"yes\""]);
    complains("[notify]\nremind_before = \"soon\"\n", 2, &["soon"]);
    complains("[[sink]]\nname = \"ci\"\nrun = [\"true\"]\n", 1, &["[sink]"]);
}

#[test]
fn a_named_file_must_be_there_and_be_text() {
    let station = station();
    let named = |path: &Path| {
        let (path, station) = (path.to_owned(), &station);
        move || Ran::from(station.command(&["status"]).env("KEYROT_ME_CONFIG", path).output().unwrap())
    };
    let missing = station.path("nowhere.toml");
    refused_before_any_call(&station, named(&missing), 2, &["nowhere.toml", "cannot be read"]);
    refused_before_any_call(&station, named(station.home.path()), 2, &["cannot be read"]);
    let binary = station.path("binary.toml");
    std::fs::write(&binary, b"[mfa]\nserial = \"\xff\"\n").unwrap();
    refused_before_any_call(&station, named(&binary), 2, &["binary.toml", "UTF-8"]);
    #[cfg(unix)]
    refused_before_any_call(&station, named(Path::new("/dev/zero")), 2, &["/dev/zero", "larger than 1 MiB"]);
}

#[test]
fn a_profile_goes_by_its_own_section() {
    let station = station();
    station.settings(
        "[rotation]\nmax_age = \"90d\"\nsettle = { every = \"0s\" }\n[profile.default.rotation]\nmax_age = \"3d\"\n",
    );
    let key = &station.run(&["status", "--json"]).expect(0).json()["keys"][0];
    assert_eq!((key["limit_seconds"].as_i64(), key["verdict"].as_str()), (Some(3 * 86_400), Some("due")));
    station.run(&["status", "--check"]).expect(10);
}
