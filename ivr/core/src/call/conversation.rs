//! What the script of a call hears, and what it wants done.

use super::*;

impl Call {
    /// The session ended on its page.
    pub(crate) fn on_outcome(&mut self, outcome: Outcome, desk: &mut Desk<'_>) {
        self.tell(Event::Outcome(outcome), desk);
    }

    /// The store says something while the call is up. From its code on, a session's caller is spoken to in its language.
    pub(super) fn go_on(&mut self, answer: Answer, desk: &mut Desk<'_>) {
        if let Answer::Matched(session) = &answer
            && self.language != session.language
            && self.media == Media::Open
        {
            self.language = session.language;
            desk.out.push(Output::Media(self.key, MediaCommand::Speak(session.language)));
        }
        self.tell(Event::Answer(answer), desk);
    }

    /// The media thread says something.
    pub(crate) fn on_media(&mut self, event: MediaEvent, desk: &mut Desk<'_>) {
        match event {
            MediaEvent::PlayEnded(play) if self.playing == Some(play) => {
                self.playing = None;
                self.tell(Event::PlayEnded, desk);
            }
            MediaEvent::PlayEnded(_) => {}
            MediaEvent::Key(key, source) => self.press(key, source, desk),
            MediaEvent::Silent(silence) => {
                self.tell(Event::Silent(silence), desk);
            }
            MediaEvent::Closed(quality) => {
                if let Stage::Ending { media_until, .. } = &mut self.stage
                    && media_until.take().is_some()
                {
                    self.record(Entry::Quality(quality), desk);
                    self.settle(desk);
                }
            }
        }
    }

    /// The caller pressed a key. Before the ACK none counts.
    pub(super) fn press(&mut self, key: char, source: KeySource, desk: &mut Desk<'_>) {
        let is_heard = self.confirmed && matches!(self.stage, Stage::Up);
        if is_heard && self.keys.admit(key, source, desk.now) {
            let matched = self.flow.as_ref().and_then(|flow| flow.is_the_digit(key));
            self.record_if_room(Entry::KeyPressed { source, matched }, desk);
            if self.tell(Event::Key(key), desk) {
                self.keys.took(key, source, desk.now);
            }
        }
    }

    /// Tells the script and does what it wants. Did the event mean anything to it?
    pub(super) fn tell(&mut self, event: Event, desk: &mut Desk<'_>) -> bool {
        let Some(flow) = self.flow.as_mut().filter(|_| matches!(self.stage, Stage::Up)) else { return false };
        let mut actions = Vec::new();
        let is_taken = flow.on_event(event, desk.now, desk.chance, &mut actions);
        for action in actions {
            match action {
                Action::Say(utterance) => {
                    self.plays += 1;
                    self.playing = Some(self.plays);
                    let say = MediaCommand::Say { play: self.plays, utterance };
                    desk.out.push(Output::Media(self.key, say));
                }
                Action::Hush => {
                    self.playing = None;
                    desk.out.push(Output::Media(self.key, MediaCommand::Hush));
                }
                Action::Ask(question) => desk.out.push(Output::Ask(self.key, question)),
                Action::HangUp => self.hang_up(desk),
                Action::Note(step) => {
                    if let Step::CodeMatched(verification) = step {
                        self.verification = Some(verification);
                    }
                    match step {
                        // These come once or a few times, and a page waits for them.
                        Step::CodeMatched(_) | Step::Confirmed | Step::Ended(_) => self.record(Entry::Step(step), desk),
                        _ => self.record_if_room(Entry::Step(step), desk),
                    }
                }
            }
        }
        is_taken
    }
}
