//! Programs that work only with more rights than their caller has: a confined run could not start them so.

use std::path::Path;

use crate::host::other_program;

/// True for a program that is set-user-id or set-group-id (1Password's `op` is), and for a snap, whose launcher is.
#[must_use]
pub fn gains_rights(program: &str) -> bool {
    other_program::find(program).is_some_and(|path| path.starts_with("/snap/") || is_snap(&path) || is_set_id(&path))
}

/// Snaps' commands are links to one program.
fn is_snap(path: &Path) -> bool {
    path.canonicalize().is_ok_and(|target| target.ends_with("bin/snap"))
}

#[cfg(unix)]
fn is_set_id(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    const SET_ID: u32 = 0o6000;
    path.metadata().is_ok_and(|meta| meta.mode() & SET_ID != 0)
}

#[cfg(not(unix))]
fn is_set_id(_: &Path) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn set_group_id_programs_and_snaps_need_more_rights() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let op = folder.join("op");
        let asked = || gains_rights(op.to_str().unwrap());
        assert!(!asked(), "it is not there");
        for (mode, gains) in [(0o755, false), (0o2755, true), (0o4755, true)] {
            let mut file = tempfile::NamedTempFile::new_in(folder).unwrap();
            std::io::Write::write_all(&mut file, b"x").unwrap();
            file.as_file().set_permissions(std::fs::Permissions::from_mode(mode)).unwrap();
            file.persist(&op).unwrap();
            assert_eq!(asked(), gains, "{mode:o}");
        }
        std::fs::create_dir(folder.join("bin")).unwrap();
        std::fs::copy("/bin/sh", folder.join("bin/snap")).unwrap();
        symlink(folder.join("bin/snap"), folder.join("bw")).unwrap();
        assert!(gains_rights(folder.join("bw").to_str().unwrap()));
        assert!(!gains_rights("sh"));
    }
}
