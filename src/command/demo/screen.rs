//! Where the demo is shown: a terminal, or lines of text.

use super::view::{self, Row, Scene, Tone};
use crossterm::event::{self, Event, KeyCode, KeyModifiers};
use crossterm::style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size,
};
use crossterm::{cursor, execute, queue};
use std::io::{self, IsTerminal, Stdout, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Days between two lines of text.
const DAYS_PER_LINE: f64 = 10.0;

/// The longest that a request to leave waits.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub struct Screen {
    form: Form,
    /// A signal asked us to leave.
    stop: Arc<AtomicBool>,
}

enum Form {
    Terminal { size: (u16, u16) },
    Lines { next_day: f64 },
}

impl Screen {
    /// Takes the terminal over; `plain`, or where stdout or stdin is none, writes lines instead.
    pub fn open(plain: bool) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT, signal_hook::consts::SIGHUP]
        {
            signal_hook::flag::register(signal, stop.clone())?;
        }
        let form = if plain || !io::stdout().is_terminal() || !io::stdin().is_terminal() {
            Form::Lines { next_day: 0.0 }
        } else {
            enable_raw_mode()?;
            execute!(io::stdout(), EnterAlternateScreen, cursor::Hide)?;
            Form::Terminal { size: (0, 0) }
        };
        Ok(Screen { form, stop })
    }

    pub fn show(&mut self, scene: &Scene<'_>) -> io::Result<()> {
        match &mut self.form {
            Form::Terminal { size: known } => {
                let now = size()?;
                let mut out = io::stdout();
                if *known != now {
                    queue!(out, Clear(ClearType::All))?;
                    *known = now;
                }
                draw(&mut out, &view::picture(scene, now.0.into(), now.1.into()))
            }
            Form::Lines { next_day } => {
                if scene.day < *next_day {
                    return Ok(());
                }
                *next_day = (scene.day / DAYS_PER_LINE).floor() * DAYS_PER_LINE + DAYS_PER_LINE;
                io::stdout().write_all(view::line(scene).as_bytes())
            }
        }
    }

    /// Waits; `true` where someone asked to leave meanwhile.
    pub fn left(&mut self, wait: Duration) -> io::Result<bool> {
        let until = Instant::now() + wait;
        loop {
            if self.stop.load(Ordering::SeqCst) {
                return Ok(true);
            }
            let rest = until.saturating_duration_since(Instant::now()).min(LOOK_AGAIN);
            match self.form {
                Form::Terminal { .. } => {
                    if event::poll(rest)? && asks_to_leave(&event::read()?) {
                        return Ok(true);
                    }
                }
                Form::Lines { .. } => std::thread::sleep(rest),
            }
            if Instant::now() >= until {
                return Ok(false);
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if matches!(self.form, Form::Terminal { .. }) {
            // A terminal that is gone needs no restoring.
            let _ = execute!(io::stdout(), LeaveAlternateScreen, cursor::Show);
            let _ = disable_raw_mode();
        }
    }
}

fn asks_to_leave(event: &Event) -> bool {
    let Event::Key(key) = event else { return false };
    let control_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    control_c || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
}

fn draw(out: &mut Stdout, rows: &[Row]) -> io::Result<()> {
    for (place, row) in rows.iter().enumerate() {
        queue!(out, cursor::MoveTo(0, u16::try_from(place).unwrap_or(u16::MAX)))?;
        for (tone, text) in row {
            match tone {
                Tone::Plain => {}
                Tone::Bold => queue!(out, SetAttribute(Attribute::Bold))?,
                Tone::Dim => queue!(out, SetAttribute(Attribute::Dim))?,
                Tone::Raw => queue!(out, SetForegroundColor(Color::Red))?,
                Tone::Scrubbed => queue!(out, SetForegroundColor(Color::Yellow))?,
                Tone::Clean => queue!(out, SetForegroundColor(Color::Green))?,
            }
            queue!(out, Print(text), SetAttribute(Attribute::Reset), ResetColor)?;
        }
        queue!(out, Clear(ClearType::UntilNewLine))?;
    }
    queue!(out, Clear(ClearType::FromCursorDown))?;
    out.flush()
}
