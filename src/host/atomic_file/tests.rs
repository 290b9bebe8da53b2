//! What needs no special rights; full disks, mounts and power cuts are in `tests/file_faults.rs`.
#![allow(clippy::disallowed_methods)]
#![cfg(unix)]

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

struct Scene(tempfile::TempDir);

impl Scene {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, bytes: &[u8], mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(self.0.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn am_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn bytes_are_replaced_as_they_are_and_nothing_is_left_beside() {
    let scene = Scene::new();
    let path = scene.file("credentials", b"[a]\r\nold", 0o600);
    let snapshot = read_for_edit(&path).unwrap();
    assert_eq!(snapshot.bytes(), b"[a]\r\nold");
    assert!(!snapshot.others_can_read());
    snapshot.replace(b"[a]\r\nnew\r\n\xFF").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"[a]\r\nnew\r\n\xFF");
    assert_eq!(scene.names(), ["credentials"]);
}

#[test]
fn the_mode_is_kept_or_narrowed_to_the_owner() {
    for (before, after, warns) in [
        (0o600, 0o600, false),
        (0o400, 0o400, false),
        (0o700, 0o700, false),
        (0o644, 0o600, true),
        (0o640, 0o600, true),
        (0o444, 0o400, true),
        (0o620, 0o600, false),
        (0o2666, 0o2600, true),
    ] {
        let scene = Scene::new();
        let path = scene.file("credentials", b"old", before);
        let snapshot = read_for_edit(&path).unwrap();
        assert_eq!(snapshot.others_can_read(), warns, "{before:o}");
        snapshot.replace(b"new").unwrap();
        assert_eq!(mode(&path) & 0o777, after & 0o777, "{before:o}");
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}

#[test]
fn the_group_is_kept() {
    let scene = Scene::new();
    let path = scene.file("credentials", b"old", 0o640);
    if !am_root() {
        println!("skipped: needs root: the group of a file is kept");
        return;
    }
    std::os::unix::fs::chown(&path, None, Some(12345)).unwrap();
    read_for_edit(&path).unwrap().replace(b"new").unwrap();
    assert_eq!((fs::metadata(&path).unwrap().gid(), mode(&path)), (12345, 0o600));
}

#[test]
fn a_link_stays_a_link_and_its_target_is_replaced_in_its_own_folder() {
    let scene = Scene::new();
    fs::create_dir(scene.path("real")).unwrap();
    let target = scene.file("real/file", b"old", 0o600);
    symlink("real/file", scene.path("near")).unwrap();
    symlink("near", scene.path("far")).unwrap();
    let snapshot = read_for_edit(&scene.path("far")).unwrap();
    assert_eq!(snapshot.target(), target.canonicalize().unwrap());
    assert_eq!(snapshot.folder(), scene.path("real").canonicalize().unwrap());
    snapshot.replace(b"new").unwrap();
    assert!(scene.path("far").is_symlink() && scene.path("near").is_symlink() && !target.is_symlink());
    assert_eq!(fs::read(&target).unwrap(), b"new");
}

#[test]
fn what_cannot_be_replaced_well_is_refused() {
    let scene = Scene::new();
    symlink("nowhere", scene.path("dangling")).unwrap();
    symlink("loop2", scene.path("loop1")).unwrap();
    symlink("loop1", scene.path("loop2")).unwrap();
    let linked = scene.file("linked", b"", 0o600);
    fs::hard_link(&linked, scene.path("second-name")).unwrap();
    fs::create_dir(scene.path("folder")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, scene.path("pipe"), rustix::fs::Mode::RUSR).unwrap();
    scene.file("large", &vec![b'#'; (1 << 20) + 1], 0o600);
    scene.file("just-not-large", &vec![b'#'; 1 << 20], 0o600);
    let of = |name: &str| read_for_edit(&scene.path(name)).unwrap_err();
    assert!(matches!(of("missing"), FileError::NotFound { .. }));
    assert!(matches!(of("dangling"), FileError::DanglingLink { .. }));
    assert!(matches!(of("loop1"), FileError::LinkLoop { .. }));
    assert!(matches!(of("linked"), FileError::HardLinked { links: 2, .. }));
    assert!(matches!(of("folder"), FileError::NotAFile { .. }));
    assert!(matches!(of("pipe"), FileError::NotAFile { .. }));
    assert!(matches!(of("large"), FileError::TooLarge { .. }));
    assert!(read_for_edit(&scene.path("just-not-large")).is_ok());
    let message = of("linked").to_string();
    assert!(message.contains("linked has 2 hard links"), "{message}");
    assert!(!of("linked").hint().is_empty());
}

#[test]
fn a_file_of_another_user_is_refused() {
    let scene = Scene::new();
    let path = scene.file("credentials", b"", 0o600);
    if !am_root() {
        println!("skipped: needs root: a file of another user is refused");
        return;
    }
    std::os::unix::fs::chown(&path, Some(12345), None).unwrap();
    assert!(matches!(read_for_edit(&path).unwrap_err(), FileError::OtherOwner { owner: 12345, me: 0, .. }));
}

#[test]
fn anothers_change_since_the_snapshot_is_never_overwritten() {
    type Change = (&'static str, fn(&Scene));
    let changes: [Change; 4] = [
        ("in place", |scene| fs::write(scene.path("credentials"), b"theirs").unwrap()),
        ("renamed over", |scene| {
            fs::rename(scene.file("new", b"theirs", 0o600), scene.path("credentials")).unwrap();
        }),
        ("made private", |scene| {
            scene.file("credentials", b"old", 0o400);
        }),
        ("moved behind a link", |scene| {
            fs::rename(scene.path("credentials"), scene.path("moved")).unwrap();
            symlink("moved", scene.path("credentials")).unwrap();
        }),
    ];
    for (what, change) in changes {
        let scene = Scene::new();
        let path = scene.file("credentials", b"old", 0o600);
        let snapshot = read_for_edit(&path).unwrap();
        change(&scene);
        let theirs = fs::read(&path).unwrap();
        assert!(matches!(snapshot.replace(b"ours"), Err(FileError::Changed { .. })), "{what}");
        assert_eq!(fs::read(&path).unwrap(), theirs, "{what}");
        assert!(scene.names().iter().all(|name| !name.starts_with(TEMP_PREFIX)), "{what}");
        read_for_edit(&path).unwrap().replace(b"again").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"again", "{what}");
    }
}

#[test]
fn a_file_that_vanished_is_not_made_again() {
    let scene = Scene::new();
    let path = scene.file("credentials", b"old", 0o600);
    let snapshot = read_for_edit(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(matches!(snapshot.replace(b"new"), Err(FileError::NotFound { .. })));
    assert_eq!(scene.names(), [""; 0]);
}

#[test]
fn proving_writes_nothing_that_stays() {
    let scene = Scene::new();
    let path = scene.file("credentials", b"old", 0o400);
    prove_writable(&path, 100_000).unwrap();
    assert_eq!(
        (fs::read(&path).unwrap(), mode(&path), scene.names()),
        (b"old".to_vec(), 0o400, vec!["credentials".into()])
    );
}

#[test]
fn only_our_own_temporary_files_are_swept() {
    let scene = Scene::new();
    for name in [".keyrot-me-abc.tmp", ".keyrot-me-def.tmp"] {
        scene.file(name, b"secret", 0o400);
    }
    let target = scene.file("kept", b"kept", 0o600);
    scene.file(".keyrot-me-notes", b"", 0o600);
    scene.file("x.tmp", b"", 0o600);
    fs::create_dir(scene.path(".keyrot-me-folder.tmp")).unwrap();
    symlink(&target, scene.path(".keyrot-me-link.tmp")).unwrap();
    if am_root() {
        let theirs = scene.file(".keyrot-me-theirs.tmp", b"", 0o600);
        std::os::unix::fs::chown(theirs, Some(12345), None).unwrap();
    }
    assert_eq!(sweep(scene.0.path()).unwrap(), 2);
    let mut left = vec![".keyrot-me-folder.tmp", ".keyrot-me-link.tmp", ".keyrot-me-notes", "kept", "x.tmp"];
    if am_root() {
        left.insert(3, ".keyrot-me-theirs.tmp");
    }
    assert_eq!(scene.names(), left);
    assert_eq!(fs::read(&target).unwrap(), b"kept");
}

#[test]
fn a_secret_file_is_new_private_and_whole() {
    let scene = Scene::new();
    let folder = scene.path("a/state");
    create_private_dir(&folder).unwrap();
    assert_eq!((mode(&scene.path("a")), mode(&folder)), (0o700, 0o700));
    let path = folder.join("staged");
    write_new_secret_file(&path, b"secret").unwrap();
    assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o600, b"secret".to_vec()));
    assert!(matches!(write_new_secret_file(&path, b"other"), Err(FileError::Exists { .. })));
    assert_eq!(fs::read(&path).unwrap(), b"secret");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);

    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let refused = write_new_secret_file(&folder.join("second"), b"");
    assert!(matches!(refused, Err(FileError::FolderNotPrivate { .. })));
    create_private_dir(&folder).unwrap();
    assert_eq!(mode(&folder), 0o700);
}

#[test]
fn erasing_overwrites_and_removes_and_can_be_repeated() {
    let scene = Scene::new();
    let path = scene.file("staged", b"secret", 0o400);
    // Another handle sees what became of the bytes.
    let mut witness = File::open(&path).unwrap();
    erase(&path).unwrap();
    let mut bytes = Vec::new();
    witness.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, [0; 6]);
    erase(&path).unwrap();
    let target = scene.file("target", b"kept", 0o600);
    symlink(&target, &path).unwrap();
    assert!(matches!(erase(&path), Err(FileError::NotAFile { .. })));
    assert_eq!(fs::read(&target).unwrap(), b"kept");
}

#[test]
fn a_file_of_two_names_loses_one_and_no_byte() {
    let scene = Scene::new();
    let path = scene.file("staged", b"secret", 0o600);
    // As a run leaves it that dies while it gives its file a name, where there is no rename without replacing.
    let temp = path.with_file_name(".keyrot-me-x.tmp");
    fs::hard_link(&path, &temp).unwrap();
    assert_eq!(sweep(path.parent().unwrap()).unwrap(), 1);
    assert_eq!(fs::read(&path).unwrap(), b"secret");
}

#[test]
fn a_snapshot_shows_no_bytes() {
    let scene = Scene::new();
    let snapshot = read_for_edit(&scene.file("credentials", b"topsecret", 0o600)).unwrap();
    let shown = format!("{snapshot:?}");
    assert!(
        shown.contains("credentials") && !shown.contains("topsecret") && !shown.contains("116, 111, 112"),
        "{shown}"
    );
}
