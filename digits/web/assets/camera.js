// The camera: a dialog that takes one picture.

async function openCamera() {
  button("shoot").disabled = true; // until there is something to take
  button("camera").disabled = true; // until the user has decided: two streams would leave one on
  try {
    find("video").srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    find("dialog.camera").showModal();
  } catch {
    notice(say("No camera can be used here. Upload a picture instead."));
  } finally {
    button("camera").disabled = false;
  }
}

function shoot() {
  const video = find("video");
  const still = canvasOf(video.videoWidth, video.videoHeight);
  still.drawImage(video, 0, 0);
  find("dialog.camera").close();
  bring(blobOf(still.canvas, "image/png"));
}

find("video").addEventListener("loadeddata", () => { button("shoot").disabled = false; });
find("dialog.camera").addEventListener("close", () => {
  find("video").srcObject.getTracks().forEach((track) => track.stop());
});
