/** Dockerfiles that are asked about with `--call check`: what is wrong with them, and what is only warned of. */
const inScratch = (...rows: readonly string[]): string => ['FROM scratch', ...rows, ''].join('\n');

/** One instruction each, behind FROM scratch. */
const instructions = `
RUNN echo
COPPY a b
FRO scratch
run
RUN
CMD
CMD []
CMD [ "a", "b" ]
CMD [1]
CMD ["a"
CMD ['a']
CMD [ ]x
CMD --x=y a
ENTRYPOINT
ENTRYPOINT []
ENTRYPOINT exec top
ENTRYPOINT ["top"] -b
ENV
ENV a
ENV a b
ENV a=1 b
ENV =x
ENV a=b c=$d
ENV a="b
ENV a='b
ENV a=b\\ c d=e
ENV --x a=b
ENV a=\${b
ENV a=\${}
ENV a=\${:x}
ENV a=\${{b}}
ENV a=\${b:x}
ENV a=\${b:=x}
ENV a=\${b=x}
ENV a=\${b^}
ENV a=\${b:?}
ENV a=\${b:?not there}
ENV a=\${b?}
ENV a=\${b?why}
ENV a=\${b:#x}
ENV a=\${PATH#\\x}
ENV a=\${PATH/x}
ENV a=\${PATH/x/y
ENV a=\${PATH//x
ENV a=\${PATH:-\${b}
ENV a=\${PATH:-"b}
ENV password=1
ENV API_KEY=1 TOKEN=2 AUTHOR=3 MY_PUBLIC_KEY=4
ENV $x=1
ENV a b=c
LABEL
LABEL a
LABEL a b c
LABEL a=b c
LABEL =b
LABEL "a b"="c d"
LABEL a=$x
ARG
ARG =x
ARG a b=c
ARG a=\${b:?x}
ARG a=$b
ARG secret
ARG GITHUB_TOKEN=x
ARG --x a
ARG a="b c"
MAINTAINER
MAINTAINER a b c
MAINTAINER --x a
EXPOSE
EXPOSE x
EXPOSE 80 443/TCP
EXPOSE 80-82/udp
EXPOSE 82-80
EXPOSE 70000
EXPOSE 80:80
EXPOSE 127.0.0.1:80:80
EXPOSE 300.1.1.1:80:80
EXPOSE [::1]:80:80
EXPOSE ::1:80:80
EXPOSE 80-90:70-80
EXPOSE 80-90:70-81
EXPOSE 80/icmp
EXPOSE /tcp
EXPOSE 80/
EXPOSE 80:x
EXPOSE -1
EXPOSE 80-
EXPOSE $x
EXPOSE --x 80
USER
USER a b
USER $x
USER --x a
VOLUME
VOLUME []
VOLUME [""]
VOLUME a b
VOLUME $x
VOLUME --x a
WORKDIR
WORKDIR a
WORKDIR a b
WORKDIR $x
WORKDIR --x /a
SHELL
SHELL []
SHELL /bin/sh -c
SHELL ["a"] b
SHELL --x ["a"]
STOPSIGNAL
STOPSIGNAL 9
STOPSIGNAL 0
STOPSIGNAL -1
STOPSIGNAL SIGTERM
STOPSIGNAL sigkill
STOPSIGNAL SIGFOO
STOPSIGNAL RTMIN+3
STOPSIGNAL RTMIN+40
STOPSIGNAL SIGTERM now
STOPSIGNAL --x SIGTERM
STOPSIGNAL $x
HEALTHCHECK
HEALTHCHECK NONE
HEALTHCHECK NONE x
HEALTHCHECK CMD
HEALTHCHECK CMD x
HEALTHCHECK x
HEALTHCHECK cmd ["a"]
HEALTHCHECK --interval=5 CMD x
HEALTHCHECK --interval=5x CMD x
HEALTHCHECK --interval= CMD x
HEALTHCHECK --interval=1us CMD x
HEALTHCHECK --interval=-1s CMD x
HEALTHCHECK --interval=.5s --timeout=1h2m3.4s CMD x
HEALTHCHECK --interval=. CMD x
HEALTHCHECK --interval=1.s CMD x
HEALTHCHECK --interval=s CMD x
HEALTHCHECK --timeout=99999999999h CMD x
HEALTHCHECK --start-period=1s --start-interval=2s --retries=4 CMD x
HEALTHCHECK --retries=x CMD x
HEALTHCHECK --retries=-1 CMD x
HEALTHCHECK --retries=99999999999 CMD x
HEALTHCHECK --retries CMD x
HEALTHCHECK --retry=1 CMD x
HEALTHCHECK --interval=1s NONE
ONBUILD
ONBUILD RUN echo
ONBUILD ONBUILD RUN echo
ONBUILD FROM scratch
ONBUILD MAINTAINER x
ONBUILD RUNN echo
ONBUILD --x RUN echo
ONBUILD COPY a
COPY
COPY a
COPY a b
COPY [ "a" ]
COPY ["a", "b c"]
COPY --form=x a b
COPY --from a b
COPY --from=$x a b
COPY --from=1 a b
COPY --from=0 a b
COPY --from=-1 a b
COPY --chown a b
COPY --chown=a --chown=b a b
COPY --chmod=999 a b
COPY --chmod=77777 a b
COPY --chmod=644 a b
COPY --chmod=u=rwX,go=rX a b
COPY --chmod=foo a b
COPY --chmod=u+z a b
COPY --link=maybe a b
COPY --link= a b
COPY --link=TRUE a b
COPY --link --link a b
COPY --exclude a b
COPY --exclude=x --exclude=y a b
COPY --unpack a b
COPY -- --a b
COPY --x
COPY http://x.example/a b
COPY https://x.example/a.git b
COPY git@x.example:a/b.git b
COPY a <<EOF
COPY $x b
COPY a $x
COPY a "b c
ADD
ADD a
ADD a b
ADD --checksum=x a b
ADD --checksum=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 a b
ADD --checksum=x http://x.example/a http://x.example/b c/
ADD --checksum=x http://x.example/a c/
ADD --keep-git-dir=x a b
ADD --keep-git-dir=true https://x.example/a.git?keep-git-dir=false b
ADD --unpack=no a b
ADD --from=x a b
ADD --chmod=8 a b
ADD https://x.example/a.git?foo=bar b
ADD https://x.example/a.git?ref= b
ADD https://x.example/a.git?ref=a#b b
ADD https://x.example/a.git?tag=a&branch=b b
ADD https://x.example/a.git?submodules=maybe b
ADD --checksum=abc https://x.example/a.git?checksum=def b
RUN --mount=type=foo x
RUN --mount=type=cach,target=/x x
RUN --mount=foo=bar x
RUN --mount=targt=/x x
RUN --mount=target x
RUN --mount=required x
RUN --mount=type=tmpfs,required x
RUN --mount=type=tmpfs,size=x,target=/x x
RUN --mount=type=bind,size=1,target=/x x
RUN --mount=type=bind,mode=1,target=/x x
RUN --mount=type=bind,uid=1,target=/x x
RUN --mount=type=tmpfs,gid=1,target=/x x
RUN --mount=type=cache,mode=9,target=/x x
RUN --mount=type=cache,uid=x,target=/x x
RUN --mount=type=cache,uid=99999999999,target=/x x
RUN --mount=type=cache,sharing=foo,target=/x x
RUN --mount=type=cache,sharing=lockd,target=/x x
RUN --mount=type=bind,sharing=shared,target=/x x
RUN --mount=type=secret x
RUN --mount=type=secret,id=a,source=b x
RUN --mount=type=secret,from=scratch,id=b x
RUN --mount=type=secret,sharing=shared,id=b x
RUN --mount=type=secret,required=x,id=b x
RUN --mount=type=ssh,source=a x
RUN --mount=type=cache,ro=x,target=/x x
RUN --mount=type=cache,rw=x,target=/x x
RUN --mount=from=$x,target=/x x
RUN --mount=from=$,target=/x x
RUN --mount=type=$x,target=/x x
RUN --mount=target=/ x
RUN --mount x
RUN --mount="type=tmpfs",target=/x x
RUN --mount='"type=tmpfs' x
RUN --mount=type=tmpfs,"target=/x"y x
RUN --mount=type=tmpfs,target=/"x x
RUN --network=foo x
RUN --network x
RUN --network=none --network=host x
RUN --device=a,b x
RUN --device=name=a,name=b x
RUN --device=a,requred=1 x
RUN --device=a,required=x x
RUN --foo x
RUN <<EOF
RUN cat <<EOF
WORKDIR /a\\
USER a # b
`
  .split('\n')
  .filter((row) => row !== '');

/** Whole files. */
const files: readonly string[] = [
  'RUN x\n',
  '# nothing\n',
  '\n\n',
  'ARG x\n',
  'ARG x\nRUN y\n',
  'FROM\n',
  'FROM a b\n',
  'FROM a AS\n',
  'FROM scratch AS 1a\n',
  'FROM scratch AS a$b\n',
  'FROM scratch as a\n',
  'from scratch AS a\n',
  'From scratch aS a\n',
  'FROM scratch AS Abc\n',
  'FROM scratch AS scratch\n',
  'FROM scratch AS context\n',
  'FROM scratch AS a\nFROM scratch AS A\n',
  'FROM scratch AS a\nFROM scratch AS a\nFROM a\n',
  'FROM $x\n',
  'ARG x\nFROM $x\n',
  'ARG x\nFROM ${x:-scratch}\n',
  'ARG base=scratch\nFROM $bas\n',
  'ARG base=\nFROM ${base}\n',
  'ARG base=UPPER\nFROM ${base:-x}\n',
  'ARG x=${y:?gone}\nFROM scratch\n',
  'FROM ${x\n',
  'FROM --platform=linux/amd64 scratch\n',
  'FROM --platform=linux/amd64 scratch AS linux-a\n',
  'FROM --platform=$TARGETPLATFORM scratch\n',
  'FROM --platform=${TARGETPLATFORM} scratch AS b\n',
  'FROM --platform=$BUILDPLATFORM scratch\n',
  'FROM --platform=$FOO scratch\n',
  'FROM --platform=$BUILDPLATFORMS scratch\n',
  'FROM --platform=foo scratch\n',
  'FROM --platform=a/b/c/d scratch\n',
  'FROM --plattform=x scratch\n',
  'FROM --platform scratch\n',
  'FROM scratch AS a\nCOPY --from=b x y\nFROM scratch AS b\n',
  'FROM scratch AS a\nCOPY --from=b x y\nFROM scratch AS b\nCOPY --from=a x y\n',
  'FROM scratch AS a\nCOPY --from=a x y\n',
  'FROM scratch AS a\nRUN --mount=from=b,target=/x y\nFROM scratch AS b\n',
  'FROM scratch\nrun x\nRUN y\nRUN z\n',
  'from scratch\nrun x\nRUN y\n',
  'FROM scratch\nRun x\n',
  'FROM scratch\nCMD a\nCMD b\nENTRYPOINT ["x"]\nENTRYPOINT ["y"]\n',
  'FROM scratch\nHEALTHCHECK NONE\nHEALTHCHECK CMD x\n',
  'FROM scratch\nSHELL ["a"]\nCMD b\nENTRYPOINT c\n',
  'FROM scratch\nWORKDIR a\nWORKDIR b\n',
  'FROM scratch\nWORKDIR /a\nWORKDIR b\n',
  'FROM scratch\nRUN a \\\n\n  b\n',
  'FROM scratch\nRUN a \\\n  # c\n\n  b\nRUN c\n',
  'FROM scratch\nRUN a \\\n',
  'FROM scratch\nRUN a \\',
  'FROM scratch\nENV FOO=1\nENV BAR=$FO\n',
  'FROM scratch\nARG FOO\nENV BAR=$FOO\n',
  'FROM scratch\nARG FOO\nENV BAR=${FOO:?must be}\n',
  'ARG FOO=1\nFROM scratch\nENV BAR=$FOO\n',
  'FROM scratch\nCOPY <<EOF /x\n$undefined\nEOF\n',
  'FROM scratch\nCOPY <<"EOF" /x\n$undefined\nEOF\n',
  'FROM scratch\nCOPY <<EOF /x\n${x\nEOF\n',
  'FROM scratch\nCOPY <<EOF /x\ntext\n',
  'FROM scratch\nCOPY <<EOF <<EOG /x/\na\nEOF\nb\nEOG\n',
  'FROM scratch\nRUN <<EOF <<EOG\na\nEOF\nb\nEOG\n',
  'FROM scratch\nRUN ["a", "<<EOF"]\n',
  'FROM scratch\nRUN <<EOF\n#!/bin/x\nEOF\n',
  'FROM scratch\nRUN <<E OF\n',
  'FROM scratch\nONBUILD COPY <<EOF /x\na\nEOF\n',
  'FROM scratch AS base\nONBUILD RUN a\nFROM base\n',
  'FROM scratch AS base\nONBUILD COPY --chmod=99 a b\nFROM base\n',
  'FROM scratch AS base\nONBUILD RUNN x\nFROM base\n',
  '# escape=`\n# escape=`\nFROM scratch\n',
  '# escape=`\nFROM scratch\nENV a=b`\n  c=d\n',
  '# escape=x\nFROM scratch\n',
  '# escape=\\\n# escape=`\nFROM scratch\n',
  '#escape=`\nFROM scratch\nCOPY a b` c d\\\n',
  '# check=skip=all\nfrom scratch\nRUN x\nMAINTAINER y\n',
  '# check=skip=MaintainerDeprecated\nFROM scratch\nMAINTAINER y\nCMD z\n',
  '# check=skip=MaintainerDeprecated, JSONArgsRecommended\nFROM scratch\nMAINTAINER y\nCMD z\n',
  '# check=error=true\nFROM scratch\nMAINTAINER y\n',
  '# check=error=true;skip=MaintainerDeprecated\nFROM scratch\nMAINTAINER y\n',
  '# check=error=maybe\nFROM scratch\n',
  '# check=foo\nFROM scratch\n',
  '# check=foo=bar\nFROM scratch\n',
  '# check=experimental=all\n# wrong\nFROM scratch AS a\n# b is described\nARG a\n# c d\nARG c\n',
  '# check=experimental=InvalidDefinitionDescription\nFROM scratch\n# x\nARG a b\n',
  '\ufeffFROM scratch\nRUNN x\n',
  'FROM scratch\r\nENV a b\r\nRUN x \\\r\n  y\r\nCMD z\r\n',
  '  FROM scratch\n\tMAINTAINER x\n',
  'FROM scratch\nRUN echo a\\\\\nCMD b\n',
  'FROM scratch\nENV a=1 \\\n  b=2 \\\n  # c\n  d\n',
  'FROM scratch\nCMD ["a", \\\n  "b"]\n',
  'FROM UPPER\n',
  'FROM busybox:a:b\n',
  'FROM busybox\nFROM scratch\nCOPY --from=UPPER a b\n',
  'FROM busybox\nRUN --mount=from=UPPER,target=/x a\n',
  'FROM busybox\nSTOPSIGNAL $HOME\nUSER $USER\n',
  'FROM busybox\nENV PAHT=$PATHH\n',
  'FROM scratch\nADD a b c\nENTRYPOINT a\nCMD b\nLABEL c d\nENV e f\nEXPOSE 1:2 3/UDP\nWORKDIR g\n',
];

export const checkCases: readonly string[] = [...instructions.map((row) => inScratch(row)), ...files];
