use super::*;

const OURS: u32 = 9;
const THEIRS: u32 = 77;
const OUTGOING: Outgoing = Outgoing { packets: 100, octets: 16_000, sequence: 40, timestamp: 5_000 };

/// Reports of a call, and the moment of its ACK.
#[expect(clippy::disallowed_methods, reason = "an Instant cannot be made from nothing; only differences count")]
fn begun(seed: u8) -> (Reports, Instant) {
    let (mut reports, now) = (Reports::new(OURS, [seed; 32]), Instant::now());
    reports.begin(now);
    (reports, now)
}

fn block(highest: u32, lost: i32, last_report: u32, delay: u32) -> Block {
    Block { ssrc: OURS, fraction_lost: 0, lost, highest, jitter: 80, last_report, delay }
}

fn heard(block: Block, now: Instant, reports: &mut Reports) -> Option<Reported> {
    reports.hear(&Told { ssrc: THEIRS, report: None, of_us: Some(block) }, OUTGOING, now);
    reports.reported()
}

/// The first packet's type, and the block of it.
fn written(reports: &mut Reports, outgoing: Outgoing, now: Instant) -> (u8, Vec<u8>) {
    let mut packet = [0; REPORT_BYTES];
    let heard = Block { ssrc: THEIRS, ..block(1, 0, 0, 0) };
    let length = reports.write(Some(heard), outgoing, Part::Stay, now, &mut packet).unwrap();
    (packet[1], packet[..length].to_vec())
}

#[test]
fn reports_come_every_four_seconds_or_so_and_never_in_step() {
    let mut intervals: Vec<Duration> = Vec::new();
    for seed in 0..50 {
        let (mut reports, began) = begun(seed);
        let mut last = began;
        for n in 0..20 {
            let mut now = last;
            while !reports.is_due(now) {
                now += Duration::from_millis(1);
            }
            written(&mut reports, OUTGOING, now);
            intervals.push((now - last) * if n == 0 { 2 } else { 1 });
            last = now;
        }
    }
    // RFC 3550 A.7: 5 s, times 0.5 to 1.5, divided by e − 1.5.
    let (shortest, longest) = (*intervals.iter().min().unwrap(), *intervals.iter().max().unwrap());
    assert!(shortest >= Duration::from_millis(2_052) && shortest < Duration::from_millis(2_100), "{shortest:?}");
    assert!(longest <= Duration::from_millis(6_160) && longest > Duration::from_millis(6_100), "{longest:?}");
    let mean = intervals.iter().sum::<Duration>() / intervals.len() as u32;
    assert!(mean.abs_diff(Duration::from_millis(4_105)) < Duration::from_millis(120), "{mean:?}");
}

#[test]
fn nothing_is_due_or_written_before_the_beginning() {
    let (_, now) = begun(1);
    let mut reports = Reports::new(OURS, [1; 32]);
    assert!(!reports.is_due(now + Duration::from_secs(60)));
    assert_eq!(reports.write(None, OUTGOING, Part::Leave, now, &mut [0; REPORT_BYTES]), None);
}

#[test]
fn each_call_has_a_name_of_its_own() {
    let name = |seed| Reports::new(OURS, [seed; 32]).cname;
    assert_ne!(name(1), name(2));
    assert_eq!(STANDARD.decode(name(1)).unwrap().len(), 12);
}

#[test]
fn who_has_sent_nothing_for_two_reports_is_a_receiver() {
    let (mut reports, now) = begun(1);
    let kinds: Vec<u8> =
        [0, 10, 10, 10, 11].map(|packets| written(&mut reports, Outgoing { packets, ..OUTGOING }, now).0).to_vec();
    assert_eq!(kinds, [201, 200, 200, 201, 200]);
}

#[test]
fn their_report_is_named_with_the_time_since_it_came() {
    let (mut reports, now) = begun(1);
    let told = Told { ssrc: THEIRS, report: Some(0x0102_0304), of_us: None };
    reports.hear(&told, OUTGOING, now);
    let words = |packet: &[u8]| packet[8 + 20 + 16..][..8].to_vec();
    let (_, packet) = written(&mut reports, OUTGOING, now + Duration::from_millis(1_500));
    assert_eq!(words(&packet), [1, 2, 3, 4, 0, 1, 0x80, 0]);
    // Of another source than the one that is heard.
    reports.hear(&Told { ssrc: THEIRS + 1, ..told }, OUTGOING, now);
    let (_, packet) = written(&mut reports, OUTGOING, now);
    assert_eq!(words(&packet), [0; 8]);
}

#[test]
fn our_report_carries_the_time_since_the_ack() {
    let (mut reports, now) = begun(1);
    let (_, packet) = written(&mut reports, OUTGOING, now + Duration::from_millis(2_500));
    assert_eq!(packet[8..28], [0, 0, 0, 3, 0x80, 0, 0, 0, 0, 0, 0x13, 0x88, 0, 0, 0, 100, 0, 0, 0x3e, 0x80]);
}

#[test]
fn the_round_trip_is_what_was_not_spent_at_the_other_side() {
    let (mut reports, began) = begun(1);
    // We reported at 2 s (and 1, where our time begins), it was kept for a second and came back after 80 ms.
    let now = began + Duration::from_millis(3_080);
    let sent_at = 3 << 16;
    for (name, last_report, delay, expected) in [
        ("as it was", sent_at, 1 << 16, Some(80)),
        ("none heard", 0, 0, None),
        ("kept for longer than it was away", sent_at, 2 << 16, None),
        ("a report of the future", 9 << 16, 0, None),
        ("nonsense", u32::MAX, u32::MAX, None),
    ] {
        let reported = heard(block(39, 0, last_report, delay), now, &mut reports).unwrap();
        let millis = reported.round_trip.map(|trip| trip.as_millis() + 1);
        assert_eq!(millis, expected, "{name}");
        reports.reported = None;
    }
    heard(block(39, 0, sent_at, 1 << 16), now, &mut reports);
    let kept = heard(block(39, 0, 0, 0), now, &mut reports).unwrap();
    assert!(kept.round_trip.is_some(), "a report without one does not undo it");
}

#[test]
fn loss_and_jitter_are_theirs_within_what_was_sent() {
    let reported = |packets_expected, packets_lost| {
        Some(Reported { packets_expected, packets_lost, jitter: Duration::from_millis(10), round_trip: None })
    };
    for (name, block, expected) in [
        ("all of it", block(39, 3, 0, 0), reported(100, 3)),
        ("some on the way", block(0x1_0000 + 29, 3, 0, 0), reported(90, 3)),
        ("over the turn", block(65_530, 3, 0, 0), reported(55, 3)),
        ("copies", block(39, -4, 0, 0), reported(100, 0)),
        ("more than all", block(39, 0x7f_ffff, 0, 0), reported(100, 100)),
        ("what we did not send yet", block(40, 0, 0, 0), None),
        ("of somebody else", Block { ssrc: OURS + 1, ..block(39, 3, 0, 0) }, None),
    ] {
        let (mut reports, now) = begun(1);
        assert_eq!(heard(block, now, &mut reports), expected, "{name}");
    }
}
