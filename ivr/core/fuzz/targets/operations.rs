//! Whatever happens in whatever order: outputs are bounded, a call waits for something, and in the end every call is over.
#![no_main]

use ivr_core_fuzz::{Operation, Stage};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|operations: Vec<Operation<'_>>| {
    let mut stage = Stage::default();
    for operation in operations.iter().take(200) {
        stage.perform(operation);
    }
    stage.finish();
});
