// A worker: the WebSocket to the box on one side, the audio thread's port on the other. It connects again by itself.
"use strict";

const AGAIN_MS = 250; // between attempts: a call's sound is back within a second
const OPEN_MS = 2000; // that an attempt may take
const SILENT_MS = 1500; // without a word from the box, which says something each half second: it is gone
const LOOK_MS = 200;
const MOST_UNSENT = 10 * 640; // octets; what is later than 200 ms is dropped
const FINAL = { 4401: "login", 4409: "elsewhere", 4429: "full" }; // the box's closing codes that no new attempt changes

let url = "";
let wire = null;
let socket = null;
let since = 0; // the last word from the box, or when the attempt began
let dropped = 0;

const tell = (state, joined = false) => postMessage({ state, joined, dropped });

const leave = () => {
  if (!socket) return;
  // A closing handshake with a dead box takes long: it is left to itself.
  socket.onopen = socket.onmessage = socket.onclose = null;
  socket.close();
  socket = null;
};

const connect = () => {
  leave();
  since = performance.now();
  const mine = (socket = new WebSocket(url));
  mine.binaryType = "arraybuffer";
  mine.onmessage = ({ data }) => {
    since = performance.now();
    if (typeof data === "string") tell("open", data === "+");
    else wire.postMessage(data, [data]);
  };
  mine.onclose = ({ code }) => {
    socket = null;
    if (code in FINAL) {
      tell(FINAL[code]);
      close();
      return;
    }
    tell("lost");
    setTimeout(connect, AGAIN_MS);
  };
};

const look = () => {
  if (!socket) return;
  const silent = performance.now() - since;
  if (silent < (socket.readyState === WebSocket.OPEN ? SILENT_MS : OPEN_MS)) return;
  tell("lost");
  connect();
};

onmessage = ({ data }) => {
  if (data.stop) {
    leave();
    close();
    return;
  }
  ({ url, wire } = data);
  wire.onmessage = (e) => {
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > MOST_UNSENT) dropped += 1;
    else socket.send(e.data);
  };
  connect();
  setInterval(look, LOOK_MS);
};
