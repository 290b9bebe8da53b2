//! The command line: what contradicts itself, makes no sense, or is not built yet.

use super::*;

#[test]
fn durations_that_are_none_are_refused_with_their_value() {
    let station = station();
    for (flag, command) in [("--if-older-than", "rotate"), ("--retire-after", "rotate"), ("--retire-after", "finish")] {
        for bad in ["5 parsecs", "d", "5", "99999w", "", "1e3s"] {
            let act = || station.run(&[command, flag, bad]);
            refused_before_any_call(&station, act, 2, &[&format!("'{bad}'"), flag]);
        }
    }
    refused_before_any_call(&station, || station.run(&["rotate", "--retire-after", "99999w"]), 2, &["ten years"]);
    refused_before_any_call(&station, || station.run(&["rotate", "--if-older-than=-1d"]), 2, &["-1d", "90s, 15m"]);
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let station = station();
    for flags in [
        &["rotate", "--no-mfa", "--mfa-code", "123456"][..],
        &["rotate", "--no-mfa", "--mfa-command", "echo 123456"],
        &["rotate", "--no-mfa", "--mfa-serial", "arn:aws:iam::1:mfa/a"],
        &["rotate", "--mfa-code", "123456", "--mfa-command", "echo 123456"],
        &["rotate", "--all", "--profile", "default"],
        &["rotate", "--scheduled", "--if-older-than", "5d"],
        &["rotate", "--store", "cloud"],
        &["rotate", "--frobnicate"],
        &["rotat"],
        &["status", "--all", "--profile", "default"],
        &["finish", "--all", "--profile", "default"],
    ] {
        let ran = refused_before_any_call(&station, || station.run(flags), 2, &["error: "]);
        assert!(!ran.stderr.contains("123456"), "{}", ran.stderr);
    }
    refused_before_any_call(&station, || station.run(&["rotat"]), 2, &["'rotate'"]);
}

#[test]
fn a_key_id_that_is_none_is_refused() {
    let station = station();
    for bad in ["AKIA", "akiaiosfodnn7example", "ASIAIOSFODNN7EXAMPLE"] {
        refused_before_any_call(&station, || station.run(&["rotate", "--replace", bad]), 2, &["--replace", bad]);
    }
}

#[test]
fn a_malformed_code_is_refused_and_not_shown() {
    let station = station();
    for command in ["rotate", "finish", "rollback"] {
        for bad in ["12345", "1234567", "12345a", "493 027", "", "４９３０２７"] {
            let act = || station.run(&[command, "--mfa-code", bad]);
            let ran = refused_before_any_call(&station, act, 2, &["--mfa-code", "six digits"]);
            assert!(bad.is_empty() || !ran.stderr.contains(bad), "{}", ran.stderr);
        }
    }
    refused_before_any_call(&station, || station.run(&["rotate", "--dry-run", "--mfa-code", "1"]), 2, &["six digits"]);
}

#[test]
fn a_command_with_an_open_quote_is_refused() {
    let station = station();
    refused_before_any_call(
        &station,
        || station.run(&["rotate", "--mfa-command", "echo '1"]),
        2,
        &["echo '1", "quote"],
    );
    refused_before_any_call(&station, || station.run(&["rotate", "--mfa-command", "  "]), 2, &["no words"]);
}

#[test]
fn what_is_not_built_yet_is_refused_as_such() {
    let station = station();
    refused_before_any_call(&station, || station.run(&["rotate", "--skip-sink", "ci"]), 2, &["no sink named \"ci\""]);
}

#[test]
fn without_arguments_help_is_shown() {
    let ran = station().run::<&str>(&[]).expect(2);
    assert!(ran.stderr.contains("Usage: keyrot-me") && ran.stderr.contains("rotate"), "{}", ran.stderr);
    for command in ["rotate", "status", "finish", "rollback", "completions", "man"] {
        let help = station().run(&[command, "--help"]).expect(0).stdout;
        assert!(help.contains("Example"), "{command} --help has no example:\n{help}");
    }
}

#[test]
fn help_man_page_and_completions_need_no_home_and_no_files() {
    for arguments in [&["--version"][..], &["rotate", "--help"], &["man"], &["completions", "bash"]] {
        let ran = Ran::from(Command::new(program()).args(arguments).env_clear().output().unwrap()).expect(0);
        assert!(!ran.stdout.is_empty() && ran.stderr.is_empty(), "{ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_is_gone_ends_nothing_and_a_full_disk_is_told() {
    let station = station();
    let shell = |script: &str| {
        let mut shell = Command::new("bash");
        shell.args(["-o", "pipefail", "-c", script, program()]).env_clear().envs(station.environment());
        Ran::from(shell.output().unwrap())
    };
    for command in ["status", "status --json", "man", "completions bash"] {
        let ran = shell(&format!("$0 {command} | true")).expect(0);
        assert!(!ran.stderr.contains("panicked"), "{command}: {}", ran.stderr);
    }
    let ran = shell("$0 status --json > /dev/full").expect(1);
    assert!(ran.stderr.contains("cannot write to standard output: No space left"), "{}", ran.stderr);
    let code = station.sandbox.next_totp("alice");
    shell(&format!("$0 rotate --mfa-code {code} >&- 2>&-")).expect(0);
    assert_eq!(station.sandbox.keys_of("alice").len(), 2, "the rotation went on though nobody listened");
}

/// Every command that a message tells the user to run is one that there is.
#[test]
fn no_message_names_a_command_that_is_not_built() {
    let known = [
        "rotate",
        "status",
        "finish",
        "rollback",
        "import",
        "store",
        "schedule",
        "doctor",
        "credential",
        "purge",
        "completions",
        "man",
    ];
    let mut named = 0;
    for (path, _) in files_below(Path::new("src")).into_iter().filter(|(path, _)| path.is_file()) {
        let text = std::fs::read_to_string(&path).unwrap();
        let shown = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in shown.take_while(|line| !line.contains("cfg(test)")) {
            for behind in line.split(['`', '\'']).filter_map(|quoted| quoted.strip_prefix("keyrot-me ")) {
                let word = behind.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap();
                assert!(word.is_empty() || known.contains(&word), "{}: {line}", path.display());
                named += 1;
            }
        }
    }
    assert!(named > 10, "{named}");
}
