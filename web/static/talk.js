// A person's voice in the page: microphone and speaker joined to the box. `start` it from a click.
//
//   const talk = new Talk();
//   talk.addEventListener("state", ...)   detail {state, joined}: connecting, open, lost (it tries again by itself),
//                                         and at last: login, elsewhere (another page has it), full, off, failed.
//                                         joined: a call's end has this sound.
//   talk.addEventListener("device", ...)  detail {state}: there, lost, denied, none, busy. A lost one is taken up again.
//   talk.addEventListener("level", ...)   ten times a second: {microphone, heard} in dBFS or null, {waiting_ms, gaps, ...}
//   await talk.start(); talk.muted = true; await talk.stop();
//
// Orders about calls say `talk=browser`: the box joins this session's sound to the call.

const here = (name) => new URL(name + new URL(import.meta.url).search, import.meta.url); // the same release's file
const DEVICE_AGAIN_MS = 1000; // between looks for a microphone that is gone; browsers tell of most by an event
const DEVICE = { NotAllowedError: "denied", NotFoundError: "none", OverconstrainedError: "none", NotReadableError: "busy" };
const SOCKET_ENDS = ["login", "elsewhere", "full"];

export class Talk extends EventTarget {
  #context = null;
  #node = null;
  #worker = null;
  #source = null;
  #stream = null;
  #timer = 0;
  #asking = false;
  #muted = false;
  #options;
  state = "off";
  joined = false;
  device = "";

  // `processing`: the browser's echo cancellation, noise suppression and gain. `microphone`, `speaker`: device ids.
  constructor({ path = "/talk", processing = true, microphone = "", speaker = "" } = {}) {
    super();
    this.#options = { path, processing, microphone, speaker };
  }

  static get possible() {
    return window.isSecureContext && "mediaDevices" in navigator && "AudioWorkletNode" in window;
  }

  get muted() {
    return this.#muted;
  }

  set muted(on) {
    this.#muted = Boolean(on);
    this.#node?.port.postMessage({ muted: this.#muted });
  }

  // The playing side as a node, to be listened to by a meter or a recorder.
  get output() {
    return this.#node;
  }

  async start() {
    if (this.#context) return;
    if (!Talk.possible) {
      this.#becomes("failed");
      throw new Error("Browsers give a microphone on https:// and on localhost only.");
    }
    const context = (this.#context = new AudioContext({ latencyHint: "interactive" }));
    try {
      this.#becomes("connecting");
      if (this.#options.speaker) await context.setSinkId?.(this.#options.speaker);
      await context.audioWorklet.addModule(here("talk-worklet.js"));
      if (context !== this.#context) return; // stopped meanwhile
      this.#join();
    } catch (e) {
      await this.stop("failed");
      throw e;
    }
    context.onstatechange = () => context.state === "suspended" && context.resume();
    context.resume().catch(() => {}); // without a click it waits for one
    await this.#listen();
    if (context !== this.#context) return;
    navigator.mediaDevices.addEventListener("devicechange", this.#look);
    this.#timer = setInterval(this.#look, DEVICE_AGAIN_MS);
  }

  async stop(state = "off") {
    const context = this.#context;
    if (!context) return;
    this.#context = null;
    clearInterval(this.#timer);
    navigator.mediaDevices.removeEventListener("devicechange", this.#look);
    this.#worker?.postMessage({ stop: true });
    this.#node?.port.postMessage({ stop: true });
    this.#node?.disconnect();
    this.#release();
    this.#worker = this.#node = null;
    this.#becomes(state);
    context.onstatechange = null;
    await context.close();
  }

  #join() {
    const node = (this.#node = new AudioWorkletNode(this.#context, "siaga-talk", { channelCount: 1, channelCountMode: "explicit", outputChannelCount: [1] }));
    node.connect(this.#context.destination);
    node.port.onmessage = ({ data }) => this.dispatchEvent(new CustomEvent("level", { detail: data }));
    node.onprocessorerror = () => this.stop("failed");
    const worker = (this.#worker = new Worker(here("talk-socket.js")));
    worker.onmessage = ({ data }) => {
      if (worker !== this.#worker) return;
      if (SOCKET_ENDS.includes(data.state)) this.stop(data.state);
      else this.#becomes(data.state, data.joined);
    };
    worker.onerror = () => this.stop("failed");
    const url = new URL(this.#options.path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const wire = new MessageChannel();
    node.port.postMessage({ wire: wire.port1, muted: this.#muted }, [wire.port1]);
    worker.postMessage({ url: url.href, wire: wire.port2 }, [wire.port2]);
  }

  #becomes(state, joined = false) {
    if (state === this.state && joined === this.joined) return;
    [this.state, this.joined] = [state, joined];
    this.dispatchEvent(new CustomEvent("state", { detail: { state, joined } }));
  }

  #deviceIs(state) {
    if (state === this.device) return;
    this.device = state;
    this.dispatchEvent(new CustomEvent("device", { detail: { state } }));
  }

  #look = () => {
    if (this.#context && !this.#stream && this.device !== "denied") this.#listen();
  };

  // Take up the microphone. Without one the person still hears.
  async #listen() {
    if (this.#asking) return;
    this.#asking = true;
    const { processing, microphone } = this.#options;
    const wanted = { channelCount: 1, echoCancellation: processing, noiseSuppression: processing, autoGainControl: processing };
    if (microphone) wanted.deviceId = { exact: microphone };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
      if (!this.#context) {
        for (const track of stream.getTracks()) track.stop();
        return;
      }
      this.#stream = stream;
      this.#source = this.#context.createMediaStreamSource(stream);
      this.#source.connect(this.#node);
      stream.getAudioTracks()[0].onended = () => {
        this.#release();
        this.#deviceIs("lost");
        this.#look();
      };
      this.#deviceIs("there");
    } catch (e) {
      const why = DEVICE[e.name] || "none";
      if (this.device !== "lost" || why === "denied") this.#deviceIs(why);
    } finally {
      this.#asking = false;
    }
  }

  #release() {
    this.#source?.disconnect();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#source = this.#stream = null;
  }
}
