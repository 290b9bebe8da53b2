//! What never comes: throttled for good, or never answered. Each case waits for the program to give up, so all of them
//! wait together.

use super::trial::play_all;
use super::{closed, writes};

#[test]
fn what_never_comes_is_given_up_and_told_as_it_is() {
    let mut all = closed::patient();
    all.extend(writes::patient());
    play_all(all);
}
