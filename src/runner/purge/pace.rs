//! How fast the calls of one account may come: learnt from its answers, since IAM's limits are unpublished.
//!
//! A state machine without a clock of its own: times come in as seconds since the purge began.
