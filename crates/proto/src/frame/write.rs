//! Whole messages, each in one frame.

use super::{Form, FrameError};
use crate::control::{Control, Place, Signal};
use crate::flags::Flags;

/// Appends one message; `payload` writes a term without its version byte, and is called for those signals that have one.
///
/// # Errors
/// It is larger than a frame can be; nothing is appended.
pub fn write(
    out: &mut Vec<u8>,
    flags: Flags,
    signal: &impl Signal,
    payload: impl FnOnce(&mut Vec<u8>),
) -> Result<(), FrameError> {
    let start = out.len();
    if open(out, flags, signal) != Place::Nowhere {
        payload(out);
    }
    close(out, start, 0)
}

/// Appends one message up to its payload, of which `length` bytes must follow on the wire as they are.
///
/// # Errors
/// It is larger than a frame can be; nothing is appended.
pub fn write_head(out: &mut Vec<u8>, flags: Flags, control: &Control, length: usize) -> Result<(), FrameError> {
    let start = out.len();
    open(out, flags, control);
    close(out, start, length)
}

fn open(out: &mut Vec<u8>, flags: Flags, signal: &impl Signal) -> Place {
    out.extend_from_slice(&[0; 4]);
    let form = Form::of(flags);
    match form {
        Form::Header => out.extend_from_slice(&[131, 68, 0]),
        Form::PassThrough => out.extend_from_slice(&[112, 131]),
    }
    let place = signal.encode(out, flags);
    if form == Form::PassThrough && place == Place::Behind {
        out.push(131);
    }
    place
}

/// Writes the length of the frame that begins at `start`, which `more` bytes will follow.
fn close(out: &mut Vec<u8>, start: usize, more: usize) -> Result<(), FrameError> {
    let size = out.len() - start - 4 + more;
    match u32::try_from(size) {
        Ok(length) => {
            out[start..start + 4].copy_from_slice(&length.to_be_bytes());
            Ok(())
        }
        Err(_) => {
            out.truncate(start);
            Err(FrameError::TooLarge { size, limit: u32::MAX as usize })
        }
    }
}
