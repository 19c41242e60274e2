// A call's sound on the browser's audio thread: the microphone to frames of 20 ms at 16 kHz, and frames back to the
// speaker through a jitter buffer that follows the other side's clock. Frames go by a port straight to talk-socket.js,
// so that a page that is busy delays no voice.
"use strict";

const RATE = 16000; // Hz, of frames
const FRAME = 320; // samples in 20 ms

const ZEROS = 32; // zero crossings of the low-pass to each side: 2 ms of delay at 16 kHz
const CUT = 0.94; // of the lower Nyquist frequency: down 6 dB at 7.5 kHz, 60 dB and more from 8 kHz on
const KAISER = 7; // side lobes 70 dB down, below what 12 bits of a telephone carry
const PHASES = 128; // rows of the filter's table, linear between them

const MS = RATE / 1000;
const TARGET = 30 * MS; // that waits on average before it is played; a frame comes each 20 ms
const TARGET_MOST = 120 * MS;
const AFTER_GAP = 10 * MS; // more after each gap
const CALM = 5 * RATE; // samples played without a gap, then a millisecond less again
const OVER = 120 * MS; // above the target; more is dropped: talk that is late is none
const PULL = 0.005; // most change of speed: a twelfth of a half-tone, which nobody hears
const PULL_AT = 40 * MS; // away from the target for that much
const SLOW = 1 / 400; // weight of one look at the buffer, 375 a second: about a second
const BLOCK = 16; // samples at 16 kHz handed to the resampler at once, 1 ms
const RAMP = 80; // samples, 5 ms, until sound is back in full after a gap
const FADE = 0.9; // of the last sample, each, when there is nothing: no click
const TELL = 0.1; // s between levels

function bessel(x) {
  let sum = 1;
  for (let n = 1, term = 1; n < 30; n += 1) sum += term *= (x / (2 * n)) ** 2;
  return sum;
}

// A stream from one rate to another by a windowed sinc; the step may change a little while it runs.
class Resampler {
  constructor(from, to) {
    const low = Math.min(from, to);
    this.step = from / to;
    this.half = Math.ceil((ZEROS * from) / low);
    this.taps = 2 * this.half;
    const cut = (CUT * low) / from;
    this.table = new Float32Array((PHASES + 1) * this.taps);
    for (let p = 0; p <= PHASES; p += 1) {
      const row = this.table.subarray(p * this.taps, (p + 1) * this.taps);
      let sum = 0;
      for (let k = 0; k < this.taps; k += 1) {
        const d = k - (this.half - 1) - p / PHASES;
        const x = Math.PI * cut * d;
        const window = bessel(KAISER * Math.sqrt(Math.max(0, 1 - (d / this.half) ** 2)));
        row[k] = (Math.abs(x) < 1e-9 ? 1 : Math.sin(x) / x) * window;
        sum += row[k];
      }
      for (let k = 0; k < this.taps; k += 1) row[k] /= sum;
    }
    this.buffer = new Float32Array(4096);
    this.filled = this.taps;
    this.at = this.half - 1;
  }

  write(samples) {
    if (this.filled + samples.length > this.buffer.length) {
      const first = Math.floor(this.at) - this.half + 1;
      this.buffer.copyWithin(0, first, this.filled);
      this.filled -= first;
      this.at -= first;
    }
    this.buffer.set(samples, this.filled);
    this.filled += samples.length;
  }

  get ready() {
    return Math.floor(this.at) + this.half < this.filled;
  }

  read(step) {
    const whole = Math.floor(this.at);
    const phase = (this.at - whole) * PHASES;
    const p = Math.floor(phase);
    const part = phase - p;
    const one = p * this.taps;
    const two = one + this.taps;
    const first = whole - this.half + 1;
    let sum = 0;
    for (let k = 0; k < this.taps; k += 1) {
      const h = this.table[one + k];
      sum += this.buffer[first + k] * (h + part * (this.table[two + k] - h));
    }
    this.at += step;
    return sum;
  }
}

// What came and is not played yet, at 16 kHz.
class Waiting {
  constructor() {
    this.samples = new Float32Array(RATE); // a second; OVER is far below
    this.begin = 0;
    this.length = 0;
    this.target = TARGET;
    this.priming = true;
    this.mean = TARGET;
    this.calm = 0;
    this.ramp = 0;
    this.last = 0;
    this.gaps = 0;
    this.dropped = 0; // frames' worth of samples that came too late or too many
  }

  put(frame) {
    if (this.length + frame.length > this.target + OVER) this.drop(this.length + frame.length - this.target);
    for (let n = 0; n < frame.length; n += 1) {
      this.samples[(this.begin + this.length + n) % this.samples.length] = frame[n] / 32768;
    }
    this.length += frame.length;
    if (this.priming && this.length >= this.target + FRAME / 2) {
      this.priming = false;
      this.ramp = 0;
      this.mean = this.target;
    }
  }

  drop(count) {
    const most = Math.min(count, this.length);
    this.begin = (this.begin + most) % this.samples.length;
    this.length -= most;
    this.dropped += most;
    this.mean = this.target;
  }

  // Fill a block; what is missing fades out.
  get(block) {
    for (let n = 0; n < block.length; n += 1) {
      if (!this.priming && this.length === 0) {
        this.priming = true;
        this.gaps += 1;
        this.calm = 0;
        this.target = Math.min(TARGET_MOST, this.target + AFTER_GAP);
      }
      if (this.priming) {
        this.last *= FADE;
        block[n] = this.last;
        continue;
      }
      this.ramp = Math.min(RAMP, this.ramp + 1);
      this.last = (this.samples[this.begin] * this.ramp) / RAMP;
      block[n] = this.last;
      this.begin = (this.begin + 1) % this.samples.length;
      this.length -= 1;
      this.calm += 1;
    }
    if (this.calm >= CALM) {
      this.calm = 0;
      this.target = Math.max(TARGET, this.target - MS);
    }
  }

  // How much faster than written it has to be played.
  pull() {
    if (this.priming) return 0;
    this.mean += (this.length - this.mean) * SLOW;
    return Math.max(-1, Math.min(1, (this.mean - this.target) / PULL_AT)) * PULL;
  }
}

class Loudness {
  constructor() {
    this.sum = this.count = 0;
  }

  add(samples) {
    for (let n = 0; n < samples.length; n += 1) this.sum += samples[n] * samples[n];
    this.count += samples.length;
  }

  // dBFS of a full sine since the last time; null for digital silence.
  take() {
    const level = this.sum > 0 ? 10 * Math.log10((2 * this.sum) / this.count) : null;
    this.sum = this.count = 0;
    return level;
  }
}

registerProcessor("siaga-talk", class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.up = new Resampler(sampleRate, RATE);
    this.down = new Resampler(RATE, sampleRate);
    this.waiting = new Waiting();
    this.spoken = new Loudness();
    this.heard = new Loudness();
    this.block = new Float32Array(BLOCK);
    this.frame = new Int16Array(FRAME);
    this.used = 0;
    this.muted = false;
    this.wire = null;
    this.told = currentTime;
    this.running = true;
    this.port.onmessage = ({ data }) => {
      if ("muted" in data) this.muted = data.muted;
      if (data.stop) this.running = false;
      if (data.wire) {
        this.wire = data.wire;
        this.wire.onmessage = (e) => this.waiting.put(new Int16Array(e.data));
      }
    };
  }

  process([input], [output]) {
    const speaker = output[0];
    const microphone = input[0] || new Float32Array(speaker.length); // none: silence goes, so that the way is seen alive
    this.speak(microphone);
    this.play(speaker);
    for (let n = 1; n < output.length; n += 1) output[n].set(speaker);
    if (currentTime - this.told >= TELL) this.tell();
    return this.running;
  }

  speak(microphone) {
    this.spoken.add(microphone);
    this.up.write(microphone);
    while (this.up.ready) {
      const sample = this.up.read(this.up.step);
      this.frame[this.used] = this.muted ? 0 : Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
      this.used += 1;
      if (this.used < FRAME) continue;
      this.wire?.postMessage(this.frame.buffer, [this.frame.buffer]);
      this.frame = new Int16Array(FRAME);
      this.used = 0;
    }
  }

  play(speaker) {
    const step = this.down.step * (1 + this.waiting.pull());
    for (let n = 0; n < speaker.length; n += 1) {
      while (!this.down.ready) {
        this.waiting.get(this.block);
        this.down.write(this.block);
      }
      speaker[n] = this.down.read(step);
    }
    this.heard.add(speaker);
  }

  tell() {
    this.told = currentTime;
    const { length, target, gaps, dropped } = this.waiting;
    const figures = { waiting_ms: length / MS, target_ms: target / MS, gaps, dropped_ms: dropped / MS };
    this.port.postMessage({ microphone: this.spoken.take(), heard: this.heard.take(), muted: this.muted, ...figures });
  }
});
