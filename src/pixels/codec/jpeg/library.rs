//! libjpeg's errors, turned into ours.
//!
//! libjpeg ends a call that went wrong by never returning from `error_exit`. Ours unwinds from
//! there, through libjpeg's frames (the crate compiles them for that), to [`guarded`].
#![expect(
    unsafe_code,
    reason = "libjpeg is C, and reports errors through callbacks"
)]

use std::{
    ffi::{CStr, c_int},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use mozjpeg_sys::{
    JWRN_HIT_MARKER, JWRN_HUFF_BAD_CODE, JWRN_JPEG_EOF, JWRN_MUST_RESYNC, jpeg_common_struct,
    jpeg_error_mgr, jpeg_std_error,
};

use crate::pixels::codec::{Cancel, Error};

/// What a call into libjpeg may consult and leave behind. Its address is libjpeg's `client_data`.
pub(super) struct Session<'a> {
    pub(super) cancel: &'a Cancel,
    /// Whether bytes that end without an end-of-image marker are damage: they are where scans may
    /// be missing, and are not where every row has come out.
    pub(super) end_matters: bool,
    /// Scans that may be read.
    pub(super) scans: c_int,
    /// Why the unwinding began.
    pub(super) stopped: Option<Error>,
}

impl Session<'_> {
    /// Leaves libjpeg.
    pub(super) fn stop(&mut self, why: Error) -> ! {
        self.stopped = Some(why);
        // No panic, so no hook: this is libjpeg's own way out.
        resume_unwind(Box::new("libjpeg stopped"))
    }
}

/// libjpeg's error manager, with our callbacks in it.
pub(super) fn error_manager() -> Box<jpeg_error_mgr> {
    // SAFETY: a structure of numbers, pointers and optional functions, for all of which zeroes
    // are a value.
    let mut manager: Box<jpeg_error_mgr> = Box::new(unsafe { std::mem::zeroed() });
    // SAFETY: fills in the structure that it is given, and nothing else.
    unsafe { jpeg_std_error(&mut manager) };
    manager.error_exit = Some(error_exit);
    manager.emit_message = Some(emit_message);
    manager.output_message = Some(output_message);
    manager
}

/// Runs calls into libjpeg. Where they were left by [`Session::stop`], the error that says why.
pub(super) fn guarded<T>(
    session: *mut Session<'_>,
    calls: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(calls)).unwrap_or_else(|panic| {
        // SAFETY: the caller keeps the session alive until this returns, and `calls`, the only
        // other user of it, has ended.
        match unsafe { (*session).stopped.take() } {
            Some(error) => Err(error),
            None => resume_unwind(panic),
        }
    })
}

/// The session of a libjpeg structure.
///
/// # Safety
/// `client_data` must be the address of a living [`Session`] that nobody else is using.
pub(super) unsafe fn session<'a>(common: &jpeg_common_struct) -> &'a mut Session<'a> {
    // SAFETY: as promised by the caller.
    unsafe { &mut *common.client_data.cast::<Session<'a>>() }
}

unsafe extern "C-unwind" fn error_exit(common: &mut jpeg_common_struct) {
    // SAFETY: `common` belongs to a decoder of ours, which set `client_data`.
    let session = unsafe { session(common) };
    session.stop(Error::Broken {
        cause: message(common),
    });
}

/// Warnings have the level -1. libjpeg would go on and draw gray; we say that the file is damaged.
unsafe extern "C-unwind" fn emit_message(common: &mut jpeg_common_struct, level: c_int) {
    if level >= 0 {
        return;
    }
    // SAFETY: `common` belongs to a decoder of ours, which set `client_data`.
    let session = unsafe { session(common) };
    // SAFETY: libjpeg calls this through the manager that `err` points to.
    let damage = match unsafe { (*common.err).msg_code } {
        JWRN_HIT_MARKER | JWRN_HUFF_BAD_CODE | JWRN_MUST_RESYNC => true,
        JWRN_JPEG_EOF => session.end_matters,
        // Stray bytes between segments, odd parameters: nothing of the picture is missing.
        _ => false,
    };
    if damage {
        session.stop(Error::Broken {
            cause: message(common),
        });
    }
}

/// libjpeg would write to stderr.
unsafe extern "C-unwind" fn output_message(_: &mut jpeg_common_struct) {}

/// libjpeg's words for its current message, their blanks not filled in.
fn message(common: &jpeg_common_struct) -> String {
    // SAFETY: `err` points to our error manager for as long as the structure lives.
    let manager = unsafe { &*common.err };
    let code = manager.msg_code;
    let known = (0..=manager.last_jpeg_message).contains(&code);
    let (true, Ok(index)) = (known, usize::try_from(code)) else {
        return format!("libjpeg message {code}");
    };
    // SAFETY: the table has an entry, a C string or null, for every code up to the last.
    let text = unsafe { *manager.jpeg_message_table.add(index) };
    if text.is_null() {
        return format!("libjpeg message {code}");
    }
    // SAFETY: see above; the strings are literals of the library.
    let text = unsafe { CStr::from_ptr(text.cast()) };
    format!("libjpeg: {}", text.to_string_lossy())
}
