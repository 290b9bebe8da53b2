//! `cargo run --example sandbox`: Monday to Friday with the real program against the embedded emulator.
//!
//! `-- shell` leaves you in a shell with everything set instead. It touches nothing but a temporary
//! home, which is gone when it ends; no AWS account, no network beyond loopback.

#![allow(
    clippy::disallowed_methods,
    reason = "this is no part of the program: it makes a home and reads the environment"
)]

#[allow(dead_code, unused_imports, reason = "each target that has the sandbox uses a part of it")]
#[path = "mod.rs"]
mod sandbox;
#[path = "walk.rs"]
mod walk;
#[allow(dead_code, reason = "each target that has the workstation uses a part of it")]
#[path = "../workstation/mod.rs"]
mod workstation;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use workstation::Workstation;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if !matches!(words.as_slice(), [] | ["shell"]) {
        eprintln!("usage: cargo run --example sandbox [-- shell]");
        return ExitCode::from(2);
    }
    let Some(program) = build() else { return ExitCode::FAILURE };
    let station = Workstation::new(program.clone());
    clean_up_on_interrupt(station.home.path().to_owned());
    walk::prepare(&station);
    if words == ["shell"] {
        return shell(&station, &program);
    }
    walk::monday_to_friday(&station);
    ExitCode::SUCCESS
}

/// Cargo builds only the example itself: the program is built here, in the same profile, and together
/// with the example, so that both share every dependency as it is compiled already.
fn build() -> Option<PathBuf> {
    let example = std::env::current_exe().ok()?;
    let folder = example.parent()?.parent()?.to_owned();
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    cargo
        .args(["build", "--quiet", "--locked", "--example", "sandbox", "--bin", "keyrot-me"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    match cargo.status() {
        Ok(status) if status.success() => {
            Some(folder.join("keyrot-me").with_extension(std::env::consts::EXE_EXTENSION))
        }
        ended => {
            eprintln!("error: the program could not be built: {ended:?}");
            None
        }
    }
}

fn shell(station: &Workstation, program: &Path) -> ExitCode {
    let bin = station.path("bin");
    let port = station.sandbox.url().rsplit(':').next().unwrap_or_default().trim_end_matches('/').to_owned();
    fs::create_dir(&bin).unwrap();
    let totp = format!(
        "#!/usr/bin/env bash\n# prints alice's current MFA code\nexec 3<>/dev/tcp/127.0.0.1/{port}\nprintf 'GET /sandbox/totp/alice HTTP/1.1\\r\\nHost: sandbox\\r\\nConnection: close\\r\\n\\r\\n' >&3\ngrep -oE '^[0-9]{{6}}' <&3\n"
    );
    fs::write(bin.join("totp"), totp).unwrap();
    workstation::set_mode(&bin.join("totp"), 0o700);
    println!("a shell with alice's home, her 40-day-old key and the emulator as AWS; leave it with exit");
    println!("  keyrot-me status");
    println!("  keyrot-me rotate                      asks for a code: `totp` prints one");
    println!("  keyrot-me rotate --mfa-command totp");
    let path = std::env::var("PATH").unwrap_or_default();
    let folder = program.parent().unwrap_or(Path::new(".")).display();
    let status = Command::new(std::env::var("SHELL").unwrap_or_else(|_| "/bin/sh".to_owned()))
        .env_clear()
        .envs(station.environment())
        .env("PATH", format!("{}:{folder}:{path}", bin.display()))
        .current_dir(station.home.path())
        .stdin(Stdio::inherit())
        .status();
    if status.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Ctrl-C ends the walk, and the home with it; a shell takes its Ctrl-C itself.
fn clean_up_on_interrupt(home: PathBuf) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if std::env::args().nth(1).is_none() {
                    let _ = fs::remove_dir_all(&home);
                    std::process::exit(130);
                }
            }
        });
    });
}
