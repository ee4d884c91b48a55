//! Work that takes a processor for long and that nobody waits for by the millisecond: uploads by the
//! million, the encoding of very long lists. It is done on threads that stand back for all others, so that
//! whoever reads or changes one entry meanwhile gets a processor at once.

/// How far such a thread stands back, as `nice` counts: where others want the same processor it gets a
/// tenth of what each of them gets, and where nobody does all of it. Not the most that there is: what it
/// holds others may wait for.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// From now on the calling thread stands back for others. That cannot be taken back: such a thread is
/// begun for this and then ends.
#[cfg(target_os = "linux")]
pub fn stand_back() {
    // On Linux that is of the calling thread alone.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(error = %error, "a thread could not stand back for others");
    }
}

/// Elsewhere a priority is that of the whole process: nothing is changed.
#[cfg(not(target_os = "linux"))]
pub const fn stand_back() {}

/// Offers the processor to whoever waits for it, once in so many pieces of long work. A thread that stands
/// back is not interrupted at once where another one is woken: that waits for milliseconds, unless it is
/// let by here. Nobody is waited for.
pub fn let_others_by(done: usize) {
    /// Some tenths of a millisecond of parsing lines or deciding changes.
    const EACH: usize = 512;
    if done % EACH == EACH - 1 {
        std::thread::yield_now();
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_stands_back_and_those_beside_it_do_not() {
        let own = || rustix::process::getpriority_process(None).expect("it can be read");
        let before = own();
        let after = std::thread::spawn(move || {
            stand_back();
            own()
        });
        let after = after.join().expect("it ends");
        assert_eq!((own(), after), (before, NICENESS.max(before)));
    }
}
