/** Dockerfiles that are asked about with `--call`: what they can be given, their stages, what is wrong with them. */
export const callCases: readonly string[] = [
  `# base is the base stage
ARG VERSION=1
FROM scratch AS base
# WHO is greeted
ARG WHO=world
ARG OTHER
RUN echo $WHO $VERSION

# app builds the app
from base as App
ARG VERSION
ENV API_KEY=foo
RUN --mount=type=secret,id=tok,required echo hi $OTHER
RUN --mount=type=secret,id=opt,env=OPT --mount=type=ssh echo hi $OTHER
CMD echo hi

FROM scratch
COPY --from=App /x /y
WORKDIR rel
`,
  'FROM scratch\nRUNN foo\n',
  'FROM scratch\nRUN true\nCMD ["true"]\n',
  '# check=error=true\nFROM scratch\nCMD true\n',
  '# check=skip=JSONArgsRecommended\nFROM scratch\nCMD true\n',
  '# two is x & <y>\nFROM scratch AS two\nARG A\nRUN echo $A\n',
  'FROM scratch AS one\nFROM --platform=linux/arm64 scratch AS two\n',
  'ARG V=1\nFROM scratch\nARG V\nARG W=$V\nRUN --mount=type=ssh,id=key,required echo $W\n',
];

/** What each is asked. */
export const calls = ['lint', 'outline', 'targets', 'subrequests.describe'] as const;
export type Call = (typeof calls)[number];
