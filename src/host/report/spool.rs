//! What is known early and belongs to the end of a document: in memory while it is small, then in a nameless
//! temporary file.
//!
//! Nothing here may know what it keeps.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use tempfile::SpooledTempFile;

/// Bytes that stay in memory.
const IN_MEMORY: usize = 256 * 1024;

pub struct Spool {
    kept: BufWriter<SpooledTempFile>,
    empty: bool,
}

impl Spool {
    /// Its file would lie in `folder`, or where temporary files of this machine lie.
    pub fn new(folder: Option<&Path>) -> Self {
        let kept = match folder {
            Some(folder) => SpooledTempFile::new_in(IN_MEMORY, folder),
            None => SpooledTempFile::new(IN_MEMORY),
        };
        Self { kept: BufWriter::new(kept), empty: true }
    }

    pub fn is_empty(&self) -> bool {
        self.empty
    }

    /// Everything that was written, in its order.
    pub fn copy_to(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.kept.flush()?;
        let kept = self.kept.get_mut();
        kept.seek(SeekFrom::Start(0))?;
        io::copy(kept, out).map(drop)
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.empty = self.empty && bytes.is_empty();
        self.kept.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.kept.flush()
    }
}
