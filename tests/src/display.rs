//! A display without a screen, for programs with windows, and pictures of what is on it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A running Xvfb; ended when dropped.
pub struct Display {
    child: Child,
    number: String,
    folder: PathBuf,
}

impl Display {
    /// Starts one; `None` if this machine has no Xvfb.
    pub fn start(width: u32, height: u32) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("beamline-display-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the display");
        let mut command = Command::new("Xvfb");
        command.args([
            "-displayfd",
            "1",
            "-nolisten",
            "tcp",
            "-screen",
            "0",
            &format!("{width}x{height}x24"),
            "-fbdir",
        ]);
        command.arg(&folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().ok()?;
        let mut number = String::new();
        let said = child.stdout.take().expect("a pipe");
        BufReader::new(said).read_line(&mut number).expect("Xvfb says its number");
        Some(Self { child, number: number.trim().to_owned(), folder })
    }

    /// What the variable `DISPLAY` must be.
    pub fn name(&self) -> String {
        format!(":{}", self.number)
    }

    /// Writes what is on it to `target/screenshots/NAME.png`.
    pub fn screenshot(&self, name: &str) -> PathBuf {
        let program = std::env::current_exe().expect("the path of this test");
        let target = program.ancestors().nth(3).expect("target has a profile, and that has deps");
        let folder = target.join("screenshots");
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        let dump = std::fs::read(self.folder.join("Xvfb_screen0")).expect("what is on the display");
        let place = folder.join(name).with_extension("png");
        write_png(&place, &dump).expect("the picture can be written");
        place
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A dump of X (`xwd`, version 7, 32 bits a pixel, blue first) as PNG. The places of its fields are those of X11's `XWDFile.h`.
fn write_png(place: &Path, dump: &[u8]) -> std::io::Result<()> {
    let field = |index: usize| {
        let bytes = dump.get(4 * index..4 * index + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_be_bytes)
    };
    let (width, height, row, colours) = (field(4), field(5), field(12) as usize, field(19) as usize);
    let pixels = dump.get(field(0) as usize + 12 * colours..).unwrap_or_default();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    for line in pixels.chunks_exact(row).take(height as usize) {
        let colours = line.chunks_exact(4).take(width as usize).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]);
        // Each line begins with how it is filtered: not.
        let line: Vec<u8> = std::iter::once(0).chain(colours).collect();
        zlib.write_all(&line)?;
    }
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let mut file = std::fs::File::create(place)?;
    file.write_all(b"\x89PNG\r\n\x1a\n")?;
    for (kind, data) in [(b"IHDR", head), (b"IDAT", zlib.finish()?), (b"IEND", Vec::new())] {
        let mut sum = flate2::Crc::new();
        sum.update(kind);
        sum.update(&data);
        file.write_all(&(data.len() as u32).to_be_bytes())?;
        file.write_all(kind)?;
        file.write_all(&data)?;
        file.write_all(&sum.sum().to_be_bytes())?;
    }
    Ok(())
}
