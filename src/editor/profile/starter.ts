/** A profile to begin with. */
export const STARTER = `{
  // What this folder asks of a RunPod pod; share it through git.
  // “RunPod: Plan Pod from This Folder” shows what it would cost.
  "image": "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404",
  // In the order to try them: names, pools, or a floor of memory and price.
  "gpu": ["RTX 4090", "≥ 24 GB under $0.60"],
  "cloud": "SECURE",
  "volume": 50,
  "ports": ["8888/http"],
  "env": {},
  // Runs on the pod, in the copy of this folder that is sent there.
  // "setup": "pip install -r requirements.txt",
  // "secrets": { "HF_TOKEN": { "from": "runpod", "name": "hf_token" } },
  // What comes back after a run of this folder.
  "results": ["outputs/"],
  // What becomes of the pod after a long run: ask, keep, stop or terminate.
  // "afterRun": "ask",
  "maxPricePerHour": 1,
  // It stops by itself then, also with this computer off.
  "timeLimit": "4h"
}
`;
