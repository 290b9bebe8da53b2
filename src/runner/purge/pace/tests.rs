//! The pace against token buckets of many kinds, and against answers in any order: no clock, no chance.

use proptest::prelude::*;

use super::*;

mod world;

use world::{Bucket, Dice, Run, World, answer};

const LATENCIES: [f64; 4] = [0.001, 0.005, 0.03, 0.1];

/// Alone with a bucket.
fn alone(rate: f64, depth: f64, latency: f64, calls: u64, seed: u64) -> Run {
    let mut world = World::new(Some(Bucket::new(rate, depth)), latency, 0.3, &[calls]);
    world.dice = Dice::new(seed);
    world.lateness = 0.002;
    world.play().pop().unwrap()
}

fn unthrottled(latency: f64, calls: u64) -> Run {
    World::new(None, latency, 0.3, &[calls]).play().pop().unwrap()
}

#[test]
fn a_throttled_run_takes_the_buckets_own_time_and_five_refusals() {
    let own = (375.0 - 40.0) / 20.0;
    for latency in [0.001, 0.005, 0.015, 0.03, 0.05, 0.07, 0.08, 0.09, 0.1] {
        for seed in 0..20 {
            let run = alone(20.0, 40.0, latency, 375, seed);
            assert!(run.ended <= 1.05 * own, "{latency} s, {seed}: {} s", run.ended);
            assert!(run.pace.throttled() <= 5, "{latency} s, {seed}: {}", run.pace.throttled());
        }
    }
}

#[test]
fn other_buckets_are_used_up_too() {
    for (rate, depth) in [(5.0, 10.0), (10.0, 20.0), (20.0, 40.0), (50.0, 100.0), (100.0, 200.0), (200.0, 1000.0)] {
        for (latency, calls) in LATENCIES.into_iter().flat_map(|latency| [(latency, 1803), (latency, 5000)]) {
            let run = alone(rate, depth, latency, calls, 1);
            let ideal = ((float(calls) - depth) / rate).max(float(calls) / 64.0 * latency);
            let what = format!("{calls} calls at {rate}/{depth}, {latency} s: {} of {ideal} s", run.ended);
            // A deep bucket runs over while the small window of the first calls waits for their answers.
            assert!(run.ended <= 1.02 * ideal + 50.0 * latency, "{what}");
            // A full window, once, and a call each 15 s or 100 calls.
            let refused = run.pace.throttled();
            assert!(float(refused) <= 64.0 + (run.ended / 15.0).max(float(calls) / 100.0), "{what}: {refused}");
        }
    }
}

#[test]
fn a_fast_account_refuses_one_wave_and_hardly_more() {
    for seed in 0..10 {
        let run = alone(100.0, 200.0, 0.005, 1803, seed);
        assert!(run.pace.throttled() <= 64 + 2, "{seed}: {}", run.pace.throttled());
    }
}

/// Such a bucket refuses whatever comes unevenly: it is not used up, but it is not hammered either.
#[test]
fn a_bucket_without_depth_is_treated_with_patience() {
    for latency in LATENCIES {
        let run = alone(20.0, 1.0, latency, 1803, 1);
        let within = if latency < 0.01 { 1.2 } else { 1.75 };
        assert!(run.ended <= within * 1803.0 / 20.0, "{latency} s: {} s", run.ended);
        assert!(run.pace.throttled() <= 20, "{latency} s: {}", run.pace.throttled());
    }
}

#[test]
fn a_run_that_is_never_throttled_soon_uses_the_whole_window() {
    for (latency, calls, within) in [(0.03, 51, 0.85), (0.03, 1803, 2.4), (0.1, 1803, 8.5), (0.001, 1803, 0.1)] {
        let run = unthrottled(latency, calls);
        assert!(run.ended < within, "{calls} calls at {latency} s: {} s", run.ended);
    }
}

/// Alone with a bucket of these rates, from when on.
fn changing(rates: &[(f64, f64)], calls: u64) -> Run {
    let mut bucket = Bucket::new(rates[0].1, 2.0 * rates[0].1);
    bucket.rates = rates.to_vec();
    let mut world = World::new(Some(bucket), 0.03, 0.3, &[calls]);
    world.lateness = 0.002;
    world.play().pop().unwrap()
}

#[test]
fn a_rate_that_drops_to_a_half_is_followed() {
    let run = changing(&[(0.0, 20.0), (30.0, 10.0)], 1803);
    let own = 30.0 + (1803.0 - 40.0 - 600.0) / 10.0;
    assert!(run.ended <= 1.02 * own && run.pace.throttled() <= 20, "{} s, {}", run.ended, run.pace.throttled());
}

#[test]
fn a_rate_that_recovers_is_found() {
    let run = changing(&[(0.0, 10.0), (30.0, 20.0)], 5000);
    let own = 30.0 + (5000.0 - 20.0 - 300.0) / 20.0;
    assert!(run.ended <= 1.05 * own && run.pace.throttled() <= 25, "{} s, {}", run.ended, run.pace.throttled());
}

#[test]
fn a_starved_account_is_asked_each_ten_seconds_and_used_when_it_is_back() {
    let run = changing(&[(0.0, 20.0), (10.0, 0.0), (310.0, 20.0)], 1803);
    let own = 310.0 + (1803.0 - 240.0) / 20.0;
    assert!(run.ended <= own + 5.0, "{} of {own}", run.ended);
    assert!((30..60).contains(&run.pace.throttled()), "{}", run.pace.throttled());
}

#[test]
fn two_runs_share_a_bucket() {
    let mut world = World::new(Some(Bucket::new(20.0, 40.0)), 0.03, 0.3, &[1803, 1803]);
    world.lateness = 0.002;
    let runs = world.play();
    let (first, last) = (runs[0].ended.min(runs[1].ended), runs[0].ended.max(runs[1].ended));
    let own = (3606.0 - 40.0) / 20.0;
    assert!(last <= 1.05 * own && first >= 0.6 * own, "{first} and {last} of {own}");
    assert!(runs.iter().all(|run| run.pace.throttled() <= 30));
}

#[test]
fn lost_answers_do_not_slow_it() {
    let mut world = World::new(Some(Bucket::new(20.0, 40.0)), 0.03, 0.3, &[1803]);
    world.lost = 0.05;
    let run = world.play().pop().unwrap();
    let own = (float(run.pace.calls() - run.pace.throttled()) - 40.0) / 20.0;
    assert!(run.ended <= 1.05 * own && run.pace.throttled() <= 25, "{} of {own}", run.ended);
}

/// One call at a time, 10 ms each, until `done`.
fn work(pace: &mut Pace, bucket: &mut Bucket, now: &mut f64, done: impl Fn(&Pace) -> bool) {
    while !done(pace) {
        match pace.ask(*now) {
            Admission::Go(ticket) => {
                let served = bucket.take(*now);
                *now += 0.01;
                pace.answered(ticket, *now, answer(served));
            }
            Admission::At(time) => *now = time,
            Admission::WhenAnswered => panic!("nothing is on its way"),
        }
    }
}

/// A pace that goes on at about 20 calls/s, its bucket, and the time.
fn paced() -> (Pace, Bucket, f64) {
    let (mut pace, mut bucket, mut now) = (Pace::new(64), Bucket::new(20.0, 40.0), 0.0);
    work(&mut pace, &mut bucket, &mut now, |pace| pace.calls() >= 200);
    (pace, bucket, now)
}

fn rate(pace: &Pace) -> f64 {
    let Phase::Paced(rate) = &pace.phase else { panic!("{pace:?}") };
    rate.now()
}

#[test]
fn refusals_of_one_wave_count_once() {
    let (mut pace, _, mut now) = paced();
    let (before, refused) = (rate(&pace), pace.throttled());
    let mut wave = Vec::new();
    while wave.len() < 10 {
        match pace.ask(now) {
            Admission::Go(ticket) => wave.push(ticket),
            Admission::At(time) => now = time,
            Admission::WhenAnswered => panic!("the window is wider"),
        }
    }
    for ticket in wave {
        pace.answered(ticket, now, Answer::Refused);
    }
    assert!(rate(&pace) >= LARGEST_CUT * before, "{} after {before}", rate(&pace));
    assert_eq!(pace.throttled(), refused + 10);
}

#[test]
fn idle_time_is_not_taken_for_a_slow_bucket() {
    let (mut pace, mut bucket, mut now) = paced();
    for _ in 0..5 {
        now += 300.0;
        let (began, calls) = (now, pace.calls());
        work(&mut pace, &mut bucket, &mut now, |pace| pace.calls() >= calls + 400);
        assert!(now - began <= 1.06 * 360.0 / 20.0, "{} s", now - began);
    }
}

#[test]
fn calls_one_after_another_open_no_window() {
    let (mut pace, mut bucket, mut now) = (Pace::new(64), Bucket::new(1e9, 1e9), 0.0);
    work(&mut pace, &mut bucket, &mut now, |pace| pace.calls() >= 1000);
    let at_once: Vec<_> = std::iter::from_fn(|| matches!(pace.ask(now), Admission::Go(_)).then_some(())).collect();
    assert_eq!(at_once.len(), 2);
}

#[test]
fn a_timer_that_rounds_down_does_not_spin() {
    let (mut pace, _, now) = paced();
    let next = match pace.ask(now) {
        Admission::At(time) => time,
        other => panic!("{other:?}"),
    };
    assert!(matches!(pace.ask(next - 5e-7), Admission::Go(_)));
}

#[test]
fn it_tells_since_when_an_account_is_starved() {
    let (mut pace, mut bucket, mut now) = paced();
    bucket.rates = vec![(0.0, 0.0)];
    let served = |pace: &Pace| pace.calls() - pace.throttled();
    let last = now + bucket.tokens / 15.0;
    let refused = pace.throttled() + 10;
    work(&mut pace, &mut bucket, &mut now, |pace| pace.throttled() >= refused);
    let since = pace.starved_since().unwrap();
    assert!(since <= last + 1.0 && now - since > 20.0, "{since} of {now}");

    let before = served(&pace);
    bucket.rates = vec![(0.0, 20.0)];
    work(&mut pace, &mut bucket, &mut now, |pace| served(pace) > before);
    assert_eq!(pace.starved_since(), None);
}

#[test]
fn a_clock_that_steps_back_or_breaks_is_held() {
    let mut pace = Pace::new(1);
    for now in [5.0, 1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let Admission::Go(ticket) = pace.ask(now) else { panic!("{pace:?}") };
        pace.answered(ticket, now, Answer::Served);
    }
    let Admission::Go(ticket) = pace.ask(0.0) else { panic!("{pace:?}") };
    pace.answered(ticket, f64::NAN, Answer::Refused);
    assert_eq!(pace.starved_since(), Some(5.0));
    assert!(matches!(pace.ask(0.0), Admission::At(time) if time > 5.0 && time <= 6.0));
}

#[test]
fn millions_of_calls_leave_every_figure_finite() {
    let (mut pace, _, mut now) = paced();
    let mut bucket = Bucket::new(1e9, 1e9);
    work(&mut pace, &mut bucket, &mut now, |pace| pace.calls() >= 2_000_000);
    let refused = pace.throttled();
    assert!(rate(&pace) > 90.0 && rate(&pace).is_finite(), "{}", rate(&pace));
    bucket = Bucket::new(20.0, 40.0);
    bucket.at = now;
    let (began, calls) = (now, pace.calls());
    work(&mut pace, &mut bucket, &mut now, |pace| pace.calls() >= calls + 1000);
    assert!(now - began <= 1.05 * 960.0 / 20.0 + 1.0, "{}", now - began);
    assert!(pace.throttled() - refused <= 30, "{}", pace.throttled() - refused);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_answered_in_any_order_stops_it(
        most in 0_u32..70,
        steps in proptest::collection::vec((0_u8..8, any::<proptest::sample::Index>(), 0.0..12.0_f64), 1..400),
    ) {
        let (mut pace, mut now, mut under_way) = (Pace::new(most), 0.0, Vec::new());
        for (kind, which, seconds) in steps {
            now += if kind < 4 { seconds / 1000.0 } else { seconds };
            let answer = [Answer::Served, Answer::Refused, Answer::Refused, Answer::Lost][usize::from(kind % 4)];
            match pace.ask(now) {
                Admission::Go(ticket) => under_way.push(ticket),
                Admission::At(time) => prop_assert!(time > now && time <= now + LONGEST_PAUSE + SOON, "{time} at {now}"),
                Admission::WhenAnswered => prop_assert!(!under_way.is_empty()),
            }
            prop_assert!(under_way.len() <= usize::try_from(most.max(1)).unwrap());
            if kind % 2 == 0 && !under_way.is_empty() {
                let ticket = under_way.swap_remove(which.index(under_way.len()));
                pace.answered(ticket, now, answer);
            }
        }
    }
}
