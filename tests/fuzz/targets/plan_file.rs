//! Plan files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use osvpn::plan::file::PlanFile;

fuzz_target!(|text: &str| {
    match PlanFile::parse(text) {
        Ok(plan) => assert!(matches!(plan.regions().len(), 1 | 2)),
        Err(error) => {
            assert!(error.is_unreadable(), "nothing was looked up");
            let message = error.to_string();
            assert!(message.chars().count() <= 400, "{message:?}");
            assert!(!message.contains(|c: char| c.is_control()), "{message:?}");
        }
    }
});
