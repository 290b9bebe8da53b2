//! Disks that are full, read-only, immutable or lose power, under the real `atomic_file`.
//!
//! Each fault is set up by a shell script in a mount namespace of its own, in which this very test binary is
//! started again with [`worker`] as its only test.
#![allow(clippy::disallowed_methods)]

use crate::skip::skip;
use std::path::Path;
use std::process::{Command, Output};

use keyrot_me::host::atomic_file::{prove_writable, read_for_edit, sweep};

const STEP: &str = "KEYROT_ME_TEST_STEP";
const FILE: &str = "KEYROT_ME_TEST_FILE";
/// Bytes that the worker writes.
const SIZE: usize = 30_000;

/// What a script starts; does nothing in a normal run.
#[test]
fn worker() {
    let (Ok(step), Some(file)) = (std::env::var(STEP), std::env::var_os(FILE)) else { return };
    let path = Path::new(&file);
    let done = match step.as_str() {
        "prove" => prove_writable(path, SIZE as u64),
        "sweep" => sweep(path.parent().unwrap()).map(drop),
        _ => read_for_edit(path).and_then(|snapshot| snapshot.replace(&vec![b'n'; SIZE])),
    };
    match done {
        Ok(()) => println!("said: done"),
        Err(error) => println!("said: {error} | {}", error.hint()),
    }
}

/// Runs `script` as root in a mount namespace, with `$dir`, and `run STEP FILE` for the worker; `None` where
/// `tools` or the rights are missing, which is said.
fn scene(needs: &str, tools: &[&str], script: &str) -> Option<String> {
    let probe = Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    let is_there = |tool: &&str| Command::new("which").arg(tool).output().is_ok_and(|found| found.status.success());
    if !probe.is_ok_and(|done| done.status.success()) || !tools.iter().all(is_there) {
        skip(&format!("needs root, mount namespaces and {tools:?}: {needs}"));
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let head = "set -u; run() { KEYROT_ME_TEST_STEP=$1 KEYROT_ME_TEST_FILE=$2 \"$exe\" --exact --nocapture \
                file_faults::worker | grep -o 'said: .*' || echo \"said: nothing\"; }\n";
    let output = Command::new("unshare")
        .args(["-m", "bash", "-c", &format!("{head}{script}")])
        .env("dir", dir.path())
        .env("exe", std::env::current_exe().unwrap())
        .output()
        .unwrap();
    Some(text(&output))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Both the proof before anything is made and the replacement itself say `what`; the file is the old one,
/// alone in its folder.
fn refused_and_untouched(shown: &str, what: &[&str]) {
    let said: Vec<_> = shown.lines().filter(|line| line.starts_with("said: ")).collect();
    assert_eq!(said.len(), 2, "{shown}");
    for word in what {
        assert!(said.iter().all(|line| line.contains(word)), "{word:?} is not in:\n{shown}");
    }
    assert!(shown.contains("left: credentials=old"), "{shown}");
}

const BOTH: &str = "run prove $dir/credentials; run replace $dir/credentials\n\
                    echo left: $(ls -A $dir | grep -v '^ballast')=$(cat $dir/credentials)\n";

#[test]
fn a_full_disk() {
    let script = "mount -t tmpfs -o size=40k none $dir; echo old > $dir/credentials\n\
                  head -c 20000 /dev/zero > $dir/ballast\n";
    let Some(shown) = scene("a full disk", &[], &format!("{script}{BOTH}")) else { return };
    refused_and_untouched(&shown, &["No space left", "free some space"]);
}

#[test]
fn no_inode_left() {
    let script = "mount -t tmpfs -o nr_inodes=2 none $dir; echo old > $dir/credentials\n";
    let Some(shown) = scene("no inode left", &[], &format!("{script}{BOTH}")) else { return };
    refused_and_untouched(&shown, &["No space left", "inodes"]);
}

#[test]
fn a_read_only_mount() {
    let script = "echo old > $dir/credentials; mount --bind $dir $dir; mount -o remount,ro,bind $dir\n";
    let Some(shown) = scene("a read-only mount", &[], &format!("{script}{BOTH}")) else { return };
    refused_and_untouched(&shown, &["Read-only", "mount it writable"]);
}

#[test]
fn an_immutable_file_or_folder() {
    for (what, said) in [("$dir/credentials", "is immutable"), ("$dir", "Operation not permitted")] {
        let script = format!(
            "echo old > $dir/credentials; chattr +i {what} || {{ echo unsupported; exit; }}\n\
             run prove $dir/credentials; run replace $dir/credentials; chattr -i {what}\n\
             echo left: $(ls -A $dir)=$(cat $dir/credentials)\n"
        );
        let Some(shown) = scene("an immutable file", &["chattr"], &script) else { return };
        if shown.contains("unsupported") {
            skip("needs a file system with attributes: an immutable file");
            return;
        }
        refused_and_untouched(&shown, &[]);
        assert!(shown.lines().next().unwrap().contains(said), "{shown}");
        assert!(!shown.contains("said: done"), "{shown}");
    }
}

#[test]
fn a_file_mounted_alone() {
    let script = "mkdir $dir/x; echo old > $dir/x/file; touch $dir/credentials\n\
                  mount --bind $dir/x/file $dir/credentials; run prove $dir/credentials; run replace $dir/credentials\n\
                  echo left: $(ls -A $dir | grep -v x)=$(cat $dir/credentials)\n";
    let Some(shown) = scene("a file that is a mount point", &[], script) else { return };
    refused_and_untouched(&shown, &[]);
    assert!(shown.contains("is itself a mount point") && shown.contains("busy"), "{shown}");
}

#[test]
fn a_folder_without_write_permission() {
    let script = "mount -t tmpfs -o mode=755 none /mnt; cp \"$exe\" /mnt/worker; chmod 755 /mnt/worker\n\
                  mkdir /mnt/home; echo old > /mnt/home/credentials; chown -R 65534 /mnt/home; chmod 500 /mnt/home\n\
                  for step in prove replace; do\n\
                    KEYROT_ME_TEST_STEP=$step KEYROT_ME_TEST_FILE=/mnt/home/credentials setpriv --reuid 65534 --clear-groups \
                    /mnt/worker --exact --nocapture file_faults::worker | grep -o 'said: .*'\n\
                  done; echo left: $(ls -A /mnt/home)=$(cat /mnt/home/credentials)\n";
    let Some(shown) = scene("a folder without write permission", &["setpriv"], script) else { return };
    refused_and_untouched(&shown, &["Permission denied", "write in its folder"]);
}

#[test]
fn a_file_size_limit() {
    let limited = |step: &str| format!("(ulimit -f 8; run {step} $dir/credentials)\n");
    let script = format!(
        "echo old > $dir/credentials; trap '' XFSZ\n{}{}echo left: $(ls -A $dir)=$(cat $dir/credentials)\n",
        limited("prove"),
        limited("replace")
    );
    let Some(shown) = scene("a file size limit", &[], &script) else { return };
    refused_and_untouched(&shown, &["File too large", "ulimit"]);

    // Where the signal is not ignored the kernel ends the process: the file is whole, and the rest is swept.
    let script = format!(
        "ulimit -c 0; echo old > $dir/credentials; {}echo between: $(ls -A $dir | wc -l)\n\
         run sweep $dir/credentials; echo left: $(ls -A $dir)=$(cat $dir/credentials)\n",
        limited("replace")
    );
    let shown = scene("a file size limit", &[], &script).unwrap();
    assert!(shown.contains("said: nothing") && shown.contains("between: 2"), "{shown}");
    assert!(shown.contains("left: credentials=old"), "{shown}");
}

fn power_cut(kill_at: &str) -> Option<String> {
    let script = format!(
        "export KILL_AT='{kill_at}' KEYROT_ME_TEST_STEP=replace\n\
         set -- $dir \"$exe\" --exact --nocapture file_faults::worker\n{}",
        include_str!("file_faults/power-cut.sh")
    );
    let shown = scene("a power cut", &["mkfs.ext4", "strace"], &script)?;
    if shown.contains("failed to setup loop device") {
        skip("needs loop devices: a power cut");
        return None;
    }
    Some(shown)
}

#[test]
fn after_a_replacement_the_power_may_go() {
    let Some(shown) = power_cut("") else { return };
    assert!(shown.contains("said: done"), "{shown}");
    assert!(shown.contains("holds: 30000 bytes of n\n"), "what was said to be done was not on the disk:\n{shown}");
}

#[test]
fn a_power_cut_at_any_call_leaves_the_old_or_the_new() {
    // Content, name, folder: the calls of one replacement that touch the disk, each cut before it is made.
    for call in ["fsync:when=1", "rename,renameat,renameat2:when=1", "fsync:when=2"] {
        let Some(shown) = power_cut(call) else { return };
        assert!(shown.contains("said: nothing"), "not cut at {call}:\n{shown}");
        let whole = ["holds: 20000 bytes of o\n", "holds: 30000 bytes of n\n"];
        assert!(whole.iter().any(|text| shown.contains(text)), "cut at {call}:\n{shown}");
    }
    let Some(shown) = power_cut("fsync:when=3") else { return };
    assert!(shown.contains("said: done"), "a call that the list above does not have:\n{shown}");
}
