import type { ContainerInspectResponse } from '#api/types';
import { ago, localRfc3339 } from '../format/time.ts';
import { spanInWords } from '../format/units.ts';
import { explainEnd } from './end.ts';
import type { Account, Circumstances, Explanation } from './explanation.ts';
import { explainHealth } from './health.ts';
import { fixesOfLog } from './log-hints.ts';
import { explainProblem, problemOfMessage } from './start-problem.ts';

/** Why a container stopped, will not start, or is as it is. Pure; also from what Docker's own engine tells. */
export function explain(container: ContainerInspectResponse, circumstances: Circumstances): Explanation {
  const name = container.Name.replace(/^\//, '');
  const { State: state } = container;
  const account = accountOf(container, name, circumstances);
  const { log, program } = circumstances;
  const hints = account.showsLog ? fixesOfLog(log.join('\n'), { program, name }) : [];
  const ended = state.Status === 'exited' || state.Status === 'dead' || state.Status === 'restarting';
  return {
    Container: name,
    Id: container.Id,
    Status: state.Status,
    ExitCode: ended || state.ExitCode !== 0 ? state.ExitCode : null,
    Summary: `${name} ${account.summary}`,
    Details: account.details ?? [],
    Log: account.showsLog ? log : [],
    Try: [...new Set([...hints, ...(account.fixes ?? [])])],
    Facts: container.Wharf ?? null,
  };
}

function accountOf(container: ContainerInspectResponse, name: string, circumstances: Circumstances): Account {
  const { Status: status } = container.State;
  const { program } = circumstances;
  switch (status) {
    case 'running':
      return running(container, name, circumstances);
    case 'paused':
      return {
        summary: 'is paused: its processes are frozen and keep their memory.',
        details: [sinceText(container, circumstances.now)],
        fixes: [`let them go on: ${program} unpause ${name}`],
      };
    case 'removing':
      return { summary: 'is being removed.' };
    case 'dead':
      return {
        summary: 'is dead: its removal failed in part.',
        fixes: [`remove it again: ${program} rm -f ${name}`],
      };
    case 'created':
      return container.State.Error || container.Wharf?.StartFailure
        ? startFailed(container, name, circumstances)
        : {
            summary: 'was created and has never been started.',
            fixes: [`start it: ${program} start ${name}`],
          };
    case 'restarting':
      return restarting(container, name, circumstances);
    case 'exited':
      return container.Wharf?.StartFailure || startMessage.test(container.State.Error)
        ? startFailed(container, name, circumstances)
        : withPolicy(explainEnd(container, name, circumstances), container, name, circumstances);
  }
}

/** How Docker's engine begins what it says of a start that failed. */
const startMessage = /^(?:failed to|OCI runtime|driver failed|error |Cannot |unable to|cannot )/i;

function running(container: ContainerInspectResponse, name: string, circumstances: Circumstances): Account {
  const { program, now } = circumstances;
  const restarts = container.RestartCount;
  const details = [
    sinceText(container, now),
    ...(container.Wharf?.AfterUnhealthy ? ['It was started anew because it had become unhealthy.'] : []),
    ...(restarts > 0 ? [`It was restarted ${times(restarts)} by its policy or for its health.`] : []),
  ];
  const health = explainHealth(container, name, program);
  if (health) return { ...health, details: [...details, ...(health.details ?? [])] };
  return { summary: 'runs.', details };
}

const sinceText = ({ State }: ContainerInspectResponse, now: number): string => {
  const started = Date.parse(State.StartedAt);
  return `It runs since ${localRfc3339(started)} (${ago(started, now)}).`;
};

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

function startFailed(container: ContainerInspectResponse, name: string, { program }: Circumstances): Account {
  const failure = container.Wharf?.StartFailure;
  const message = failure?.Message ?? container.State.Error;
  const named = { program, image: container.Config.Image ?? '' };
  const explained = explainProblem(failure?.Problem ?? problemOfMessage(message), named);
  return {
    summary: explained ? `could not be started: ${explained.text}` : 'could not be started.',
    details: [`The engine said: ${message}`, `Its exit code is ${container.State.ExitCode}.`],
    fixes: [...(explained?.fixes ?? []), `then start it again: ${program} start ${name}`],
  };
}

function restarting(
  container: ContainerInspectResponse,
  name: string,
  circumstances: Circumstances,
): Account {
  const { program, now } = circumstances;
  const end = explainEnd(container, name, circumstances);
  const plan = container.Wharf?.Restart;
  const next = plan && Date.parse(plan.Next) - now;
  const when = next === undefined ? '' : next > 0 ? ` in ${preciseSpan(next)}` : ' at any moment';
  const cause =
    plan?.Cause === 'unhealthy' ? 'because it was unhealthy' : `by its policy (${policyText(container)})`;
  return {
    ...end,
    summary: `${end.summary.replace(/\.$/, '')}, and is started again${when} ${cause}.`,
    details: [
      ...(end.details ?? []),
      `Restart number ${container.RestartCount + 1}; the pause doubles each time, up to a minute, until it runs for 10 s.`,
    ],
    fixes: [
      ...(end.fixes ?? []),
      `hold it still to look into it: ${program} update --restart no ${name}, or ${program} stop ${name}`,
    ],
  };
}

const preciseSpan = (milliseconds: number): string =>
  milliseconds < 10_000 ? `${(milliseconds / 1000).toFixed(1)} s` : spanInWords(milliseconds);

function policyText({ HostConfig }: ContainerInspectResponse): string {
  const { Name = 'no', MaximumRetryCount = 0 } = HostConfig.RestartPolicy ?? {};
  return Name === 'on-failure' && MaximumRetryCount > 0 ? `on-failure:${MaximumRetryCount}` : Name || 'no';
}

/** Why a container with a policy stays down. */
function withPolicy(
  account: Account,
  container: ContainerInspectResponse,
  name: string,
  { program }: Circumstances,
): Account {
  const { Name: policy = 'no', MaximumRetryCount: most = 0 } = container.HostConfig.RestartPolicy ?? {};
  const { ExitCode: code } = container.State;
  const start = `start it again: ${program} start ${name}`;
  const fixes = [...(account.fixes ?? []), start];
  const details = account.details ?? [];
  if (policy === 'on-failure' && code !== 0 && most > 0 && container.RestartCount >= most) {
    const text = `It was restarted ${times(container.RestartCount)}, as often as its policy on-failure:${most} allows.`;
    return { ...account, details: [...details, text], fixes };
  }
  if ((policy === 'always' || policy === 'unless-stopped') && stoppedByPerson(container)) {
    const until = policy === 'always' ? 'until the engine is started anew' : 'until somebody starts it';
    return {
      ...account,
      details: [...details, `A person stopped it, so its policy ${policy} lets it rest ${until}.`],
      fixes,
    };
  }
  return { ...account, fixes };
}

const stoppedByPerson = ({ Wharf }: ContainerInspectResponse): boolean =>
  Wharf?.Signals?.some(({ By }) => By === 'stop' || By === 'kill') ?? false;
