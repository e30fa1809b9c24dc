import { randomInt } from 'node:crypto';
import { invalidArgument } from '#kernel';

const adjectives = (
  'able airy amber ample brave breezy bright brisk calm candid careful cheerful clear clever coastal cosy crisp curious ' +
  'daring deft eager early easy fair fearless festive fine fond frank fresh gentle glad golden graceful grand hardy ' +
  'hearty honest humble jolly keen kind lively lucky mellow merry mighty modest neat nimble noble patient placid plucky ' +
  'polite prime proud quick quiet rapid ready robust rosy sage salty serene sharp silent silver sincere smooth snug solid ' +
  'spry stable starry steady still stout sturdy sunny swift tidal tidy tranquil true trusty vivid warm wise witty zesty'
).split(' ');
const nouns = (
  'anchor atoll barge barque bay beacon bollard boom bosun bow breeze brig buoy canal cape capstan captain catamaran chart ' +
  'clipper coast compass convoy cove crane crew current cutter deck delta derrick dinghy dock dolphin ensign estuary ferry ' +
  'fjord fleet frigate galley gangway gantry gull gulf harbor haven headland heron hull inlet island jetty keel ketch ' +
  'knot lagoon lighthouse lock locker logbook lugger mainsail marina mariner mast mate mooring navigator oar otter packet ' +
  'pelican pier pilot pinnace port prow puffin quay raft reef rigging rudder sail schooner seal sextant shoal skiff sloop ' +
  'spar starboard steamer stern strait swell tern tide tiller trawler tug voyage wake watch wave whaler winch windlass yawl'
).split(' ');

const pick = (list: readonly string[]): string => list[randomInt(list.length)] ?? '';

/** A made-up name that `taken` does not know. */
export function makeUpName(taken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt += 1) {
    const name = `${pick(adjectives)}_${pick(nouns)}${attempt < 6 ? '' : String(randomInt(10 ** Math.min(attempt - 4, 9)))}`;
    if (!taken(name)) return name;
  }
}

/** The name without a leading slash. Throws invalidArgument. */
export function checkName(name: string): string {
  const bare = name.startsWith('/') ? name.slice(1) : name;
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(bare)) {
    throw invalidArgument(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  }
  return bare;
}
