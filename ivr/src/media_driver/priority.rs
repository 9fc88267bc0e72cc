//! Packets first, where the operator lets us: that is what keeps the pace on a busy machine.

/// Puts the calling thread before others. A real-time policy (root, `CAP_SYS_NICE`, `LimitRTPRIO=1`) runs it at its deadline
/// whatever else there is to do; niceness (`LimitNICE=-11`) counts only inside its own control group. Without either right
/// nothing changes.
#[cfg(target_os = "linux")]
pub(super) fn raise() {
    use thread_priority::unix::{RealtimeThreadSchedulePolicy, ThreadSchedulePolicy};
    use thread_priority::{ThreadPriority, set_thread_priority_and_policy, thread_native_id};

    /// As sound servers take it.
    const NICENESS: i32 = -11;

    // The least of them: nothing of ours competes with it, and the kernel's own threads stay above.
    let real_time = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let Err(refused) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, real_time) else {
        return;
    };
    // On Linux this is the calling thread alone.
    match rustix::process::setpriority_process(None, NICENESS) {
        Ok(()) => tracing::debug!("the media thread is nice, not real-time: {refused}"),
        Err(_) => {
            tracing::info!("the media thread runs at the usual priority, which a busy machine makes audible: {refused}")
        }
    }
}

/// Elsewhere niceness is the whole process's.
#[cfg(not(target_os = "linux"))]
pub(super) fn raise() {}
