import { clock } from './script/clock';
import { finish } from './script/finish';
import { ground } from './script/ground';
import { http } from './script/http';
import { main } from './script/main';
import { plan } from './script/plan';
import { ownPod } from './script/pod';
import { compact } from './script/sh';
import { use } from './script/use';

/** Of the script; a guard of another one is replaced by the editor that finds it. */
export const GUARD_VERSION = 1;

const about = `#!/bin/sh
# The guard of RunPod Workspaces: ends this pod when its time, its budget or its use is over, whether or not an editor is open.
# It holds no key of its own; it uses the one that RunPod gives to the pod. Ended by: kill $(head -n1 owner of the newest lock).
version=${GUARD_VERSION}
`;

/** The guard as a shell script. Needs \`sh\` (dash, bash, BusyBox) and one of curl, python3, GNU wget. */
export const GUARD_SCRIPT = about + [ground, clock, http, ownPod, plan, use, finish, main].join('');

/** The same without comments and indentation. */
export const COMPACT_GUARD_SCRIPT = compact(GUARD_SCRIPT);
