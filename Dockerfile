# The image of durasync: the command with its built-in connectors, without the embedded Temporal server (durasync dev, demo and server).
#
#   docker build -t durasync .
#   docker run --rm --init -v "$PWD/jobs:/jobs:ro" -e TEMPORAL_ADDRESS=temporal:7233 durasync worker
#
# Run it with an init (--init, or init: true in Compose): connectors are processes, and what a killed one leaves behind must be
# reaped. It needs no capability, and nothing to write to but /tmp, from which programs can be started. A connector that is not built
# in goes beside durasync, in an image of your own that starts FROM this one.

# The program is static Go, so any machine builds it for any other: docker buildx build --platform linux/amd64,linux/arm64 .
FROM --platform=$BUILDPLATFORM golang:1.26.8-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
	CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
	go build -trimpath -buildvcs=false -tags noserver -ldflags "-s -w -X main.version=$VERSION" -o /out/durasync ./cmd/durasync

FROM alpine:3.24
RUN apk add --no-cache ca-certificates tzdata && adduser -D -u 1000 durasync
COPY --from=build /out/durasync /usr/local/bin/durasync
# By number, so that Kubernetes sees that it is not root.
USER 1000:1000
WORKDIR /jobs
ENTRYPOINT ["durasync"]
CMD ["worker"]
