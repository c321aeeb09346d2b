//! Whole messages, each in one frame.

use beamline_term::Pid;

use super::{Form, FrameError};
use crate::control::{Control, Execute, Place, Signal};
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
    if open(out, flags, |out| signal.encode(out, flags)) != Place::Nowhere {
        payload(out);
    }
    close(out, start, 0)
}

/// Appends what answers a call whose function is done: two messages, that `process` was started for it, and that it has
/// ended with the reason that `reason` writes.
///
/// # Errors
/// The second is larger than a frame can be; nothing is appended.
pub fn write_answer(
    out: &mut Vec<u8>,
    flags: Flags,
    request: &Execute,
    process: &Pid,
    reason: impl FnOnce(&mut Vec<u8>),
) -> Result<(), FrameError> {
    let start = out.len();
    open(out, flags, |out| {
        request.started(out, process);
        Place::Nowhere
    });
    close(out, start, 0)?;
    let second = out.len();
    open(out, flags, |out| request.ended(out, flags, process));
    reason(out);
    close(out, second, 0).inspect_err(|_| out.truncate(start))
}

/// Appends one message up to its payload, of which `length` bytes must follow on the wire as they are.
///
/// # Errors
/// It is larger than a frame can be; nothing is appended.
pub fn write_head(out: &mut Vec<u8>, flags: Flags, control: &Control, length: usize) -> Result<(), FrameError> {
    let start = out.len();
    open(out, flags, |out| control.encode(out, flags));
    close(out, start, length)
}

fn open(out: &mut Vec<u8>, flags: Flags, signal: impl FnOnce(&mut Vec<u8>) -> Place) -> Place {
    out.extend_from_slice(&[0; 4]);
    let form = Form::of(flags);
    match form {
        Form::Header => out.extend_from_slice(&[131, 68, 0]),
        Form::PassThrough => out.extend_from_slice(&[112, 131]),
    }
    let place = signal(out);
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
