//! `osvpn man`

use std::io;

use super::print_whole;
use crate::report::ExitStatus;

pub(crate) fn run(command: clap::Command) -> io::Result<ExitStatus> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text)?;
    print_whole(&text)
}
