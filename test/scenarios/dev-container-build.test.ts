/** How an editor's dev containers build their image: the project's Dockerfile, features over it, the user's own number. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Engine } from './docker-cli/engine.ts';

let engine: Engine;
before(async () => (engine = await Engine.start()));
after(() => engine[Symbol.asyncDispose]());

const project = `FROM busybox AS tools
RUN echo compiler >/usr/bin/compiler && chmod 755 /usr/bin/compiler
FROM tools
RUN echo dev:x:1000:1000::/home/dev:/bin/sh >>/etc/passwd \\
 && mkdir -p /home/dev /workspaces && chown 1000:1000 /home/dev
USER dev
`;

/** What the editor writes after the project's stages: a feature is a folder with an install script. */
const features = `
FROM $_DEV_CONTAINERS_BASE_IMAGE AS dev_containers_feature_content_normalize
USER root
COPY --from=dev_containers_feature_content_source env.builtin /tmp/build-features/
RUN chmod -R 0755 /tmp/build-features/

FROM $_DEV_CONTAINERS_BASE_IMAGE AS dev_containers_target_stage
USER root
RUN mkdir -p /tmp/dev-container-features
COPY --from=dev_containers_feature_content_normalize /tmp/build-features/ /tmp/dev-container-features
RUN --mount=type=bind,from=dev_containers_feature_content_source,source=color_0,target=/tmp/build-features-src/color_0 \\
    cp -a /tmp/build-features-src/color_0 /tmp/dev-container-features \\
 && chmod -R 0755 /tmp/dev-container-features/color_0 \\
 && cd /tmp/dev-container-features/color_0 \\
 && set -a && . ../env.builtin && . ./env && ./install.sh \\
 && rm -rf /tmp/dev-container-features/color_0
ARG _DEV_CONTAINERS_IMAGE_USER=root
USER $_DEV_CONTAINERS_IMAGE_USER
`;

const ownNumber = `ARG BASE_IMAGE
FROM $BASE_IMAGE
USER root
ARG REMOTE_USER
ARG NEW_UID
ARG NEW_GID
SHELL ["/bin/sh", "-c"]
RUN sed -i "s/^$REMOTE_USER:\\([^:]*\\):[0-9]*:[0-9]*:/$REMOTE_USER:\\1:$NEW_UID:$NEW_GID:/" /etc/passwd \\
 && chown -R "$NEW_UID:$NEW_GID" "/home/$REMOTE_USER"
ARG IMAGE_USER
USER $IMAGE_USER
`;

test('an editor builds the image of a dev container with features', async () => {
  const folder = join(engine.folder, 'project');
  const content = join(engine.folder, 'features');
  const empty = join(engine.folder, 'empty');
  await mkdir(join(folder, '.devcontainer'), { recursive: true });
  await mkdir(join(content, 'color_0'), { recursive: true });
  await mkdir(empty);
  await writeFile(join(content, 'env.builtin'), '_REMOTE_USER=dev\n');
  await writeFile(join(content, 'color_0', 'env'), 'FAVORITE=teal\n');
  const install =
    '#!/bin/sh\nmkdir -p /usr/local\necho "my color is $FAVORITE, I am $_REMOTE_USER" >/usr/local/color\n';
  await writeFile(join(content, 'color_0', 'install.sh'), install);
  // The editor names the last stage of the project, and builds its own upon it.
  const extended = project.replace('FROM tools\n', 'FROM tools AS dev_container_auto_added_stage_label\n');
  await writeFile(
    join(folder, '.devcontainer', 'Dockerfile-with-features'),
    `ARG _DEV_CONTAINERS_BASE_IMAGE=placeholder\n${extended}${features}`,
  );
  const argument = (name: string, value: string): string[] => ['--build-arg', `${name}=${value}`];
  await engine.docker(
    ...['buildx', 'build', '--load'],
    ...['--build-context', `dev_containers_feature_content_source=${content}`],
    ...argument('_DEV_CONTAINERS_BASE_IMAGE', 'dev_container_auto_added_stage_label'),
    ...argument('_DEV_CONTAINERS_IMAGE_USER', 'dev'),
    ...argument('_DEV_CONTAINERS_FEATURE_CONTENT_SOURCE', 'dev_container_feature_content_temp'),
    ...argument('BUILDKIT_INLINE_CACHE', '1'),
    ...['--target', 'dev_containers_target_stage', '-t', 'vsc-project-features'],
    ...['-f', join(folder, '.devcontainer', 'Dockerfile-with-features'), folder],
  );
  await writeFile(join(engine.folder, 'updateUID.Dockerfile'), ownNumber);
  await engine.docker(
    ...['buildx', 'build', '--load', '-f', join(engine.folder, 'updateUID.Dockerfile')],
    ...['-t', 'vsc-project-features-uid'],
    ...argument('BASE_IMAGE', 'vsc-project-features'),
    ...argument('REMOTE_USER', 'dev'),
    ...argument('NEW_UID', '4321'),
    ...argument('NEW_GID', '4321'),
    ...argument('IMAGE_USER', 'dev'),
    empty,
  );
  const told = await engine.docker(
    ...['run', '--rm', 'vsc-project-features-uid', 'sh', '-c'],
    'id -u; stat -c %u /home/dev; cat /usr/local/color; test -x /usr/bin/compiler && ls /tmp/dev-container-features',
  );
  assert.deepEqual(told.split('\n'), ['4321', '4321', 'my color is teal, I am dev', 'env.builtin']);
});
