// Passkeys: options and answers cross as JSON (WebAuthn Level 3, §5.1.8 to §5.1.10).
let waiting; // the conditional request that autofill answers; another ceremony must end it first

export function supported() {
  return typeof PublicKeyCredential !== "undefined" && "parseRequestOptionsFromJSON" in PublicKeyCredential;
}

export async function autofill() {
  return supported() && (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true;
}

export async function create(json) {
  cancel();
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options(json));
  return JSON.stringify((await navigator.credentials.create({ publicKey })).toJSON());
}

// get asks for a passkey: "conditional" offers it in the field's autofill and waits, "" shows the browser's own dialog.
export async function get(json, mediation) {
  cancel();
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options(json));
  const request = { publicKey };
  if (mediation) {
    waiting = new AbortController();
    request.mediation = mediation;
    request.signal = waiting.signal;
  }
  return JSON.stringify((await navigator.credentials.get(request)).toJSON());
}

export function cancel() {
  waiting?.abort();
  waiting = undefined;
}

function options(json) {
  const o = JSON.parse(json);
  return o.publicKey ?? o;
}
