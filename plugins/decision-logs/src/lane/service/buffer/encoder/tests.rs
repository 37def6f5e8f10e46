use super::*;

fn guess() -> Guess {
    Guess { bytes: 100, exponent: 0.0, range: 100..10_000 }
}

#[test]
fn the_guess_grows_faster_each_time_and_has_bounds() {
    let mut guess = guess();
    guess.grow();
    assert_eq!(guess.bytes, 200);
    guess.grow();
    assert_eq!(guess.bytes, 459);
    (0..10).for_each(|_| guess.grow());
    assert_eq!(guess.bytes, 10_000);
    guess.shrink();
    assert_eq!(guess.bytes, 5_000);
    (0..20).for_each(|_| guess.shrink());
    assert_eq!(guess.bytes, 100);
}

#[test]
fn events_that_are_open_can_be_cut_anywhere() {
    let mut open = Open::default();
    for json in ["{1}", "{22}", "{3}"] {
        open.push(json.as_bytes(), 0);
    }
    assert_eq!(open.slice(&(0..3)), b"{1},{22},{3}");
    assert_eq!(open.slice(&(0..1)), b"{1}");
    assert_eq!(open.slice(&(1..3)), b"{22},{3}");
}
