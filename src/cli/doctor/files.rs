//! The AWS files and the state folder: there, readable, private, and replaceable.

use std::path::Path;

use crate::cli::doctor::{Room, commands};
use crate::host::aws_ini::FileKind;
use crate::host::file_look::{self, FileLook, FolderLook};
use crate::keys::doctor::{Check, Finding};
use crate::ports::StoreError;

pub fn look(room: &mut Room) {
    let places = room.places.clone();
    for (check, kind, path) in [
        (Check::CredentialsFile, FileKind::Credentials, &places.credentials),
        (Check::ConfigFile, FileKind::Config, &places.config),
    ] {
        match file_look::aws_file(kind, path) {
            Ok(None) => room.add(Finding::ok(check, format!("there is no {}", path.display()))),
            Ok(Some(look)) => {
                room.add(file(check, path, &look));
                tracked(path, &look, room);
            }
            Err(error) => room.add(unusable(check, path, &error)),
        }
    }
    let state = state(&room.places.state, file_look::state_folder(&places));
    room.add(state);
}

fn file(check: Check, path: &Path, look: &FileLook) -> Finding {
    let shown = path.display();
    if let Err(error) = &look.replaceable {
        return Finding::problem(
            check,
            format!("a rotation could not write {shown}: {}", error.message),
            format!("it stops before it makes a key; {}", hint(error)),
            format!("ls -ld {} {}", commands::word(shown), commands::word(folder(&look.target).display())),
        );
    }
    if look.holds_keys && look.others_can_read {
        return Finding::problem(
            check,
            format!("{shown} can be read by other users of this machine"),
            "whoever reads it has your key",
            format!("chmod 600 {}", commands::word(look.target.display())),
        );
    }
    let what = if look.holds_keys { "is yours alone and can be replaced" } else { "reads well and holds no key" };
    Finding::ok(check, format!("{shown} {what}"))
}

/// It is there, and no AWS tool can use it, or we must not.
fn unusable(check: Check, path: &Path, error: &StoreError) -> Finding {
    let line = error.message.strip_prefix(&format!("{}:", path.display()));
    let line = line.and_then(|rest| rest.split(':').next()?.trim().parse().ok());
    let fix = match line {
        Some(line) => commands::edit(path, Some(line)),
        None => format!("ls -ld {}", commands::word(path.display())),
    };
    Finding::problem(check, error.message.clone(), format!("no key is read from it; {}", hint(error)), fix)
}

fn tracked(path: &Path, look: &FileLook, room: &mut Room) {
    if !look.holds_keys {
        return;
    }
    let (shown, folder) = (path.display(), commands::word(folder(&look.target).display()));
    let name = commands::word(look.target.file_name().unwrap_or_default().to_string_lossy());
    room.add(match look.tracked {
        Some(false) => Finding::ok(Check::Git, format!("git does not keep {shown}")),
        Some(true) => Finding::problem(
            Check::Git,
            format!("{shown} is tracked by git"),
            "the next push publishes your key, and a rotation refuses to write a new one there",
            format!("git -C {folder} rm --cached {name}"),
        ),
        None => Finding::note(
            Check::Git,
            format!("{shown} lies in a git work tree, and git does not say whether it is tracked"),
            "a tracked file is published with the next push",
            format!("git -C {folder} ls-files {name}"),
        ),
    });
}

fn state(path: &Path, look: Result<FolderLook, StoreError>) -> Finding {
    let shown = path.display();
    match look {
        Ok(FolderLook::Missing) => Finding::ok(Check::StateFolder, format!("the first run makes {shown}")),
        Ok(FolderLook::Private) => {
            Finding::ok(Check::StateFolder, format!("{shown} is yours alone and can be written"))
        }
        Ok(FolderLook::Open) => Finding::problem(
            Check::StateFolder,
            format!("{shown} is open to other users of this machine"),
            "new and retired secrets lie there for a while",
            format!("chmod 700 {}", commands::word(shown)),
        ),
        Err(error) => Finding::problem(
            Check::StateFolder,
            format!("{shown} cannot be written: {}", error.message),
            format!("a rotation stops before it makes a key; {}", hint(&error)),
            format!("ls -ld {}", commands::word(shown)),
        ),
    }
}

fn hint(error: &StoreError) -> &str {
    error.hint.as_deref().unwrap_or("see to it, then look again")
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}
