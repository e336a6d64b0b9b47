# A small image with one binary, no shell, no root. Builds for amd64 and arm64:
#   docker buildx build --platform linux/amd64,linux/arm64 -t aquatint .
FROM rust:1.95-slim-trixie AS build
# cmake, perl and nasm are for the AVIF encoder; nasm also for JPEG and AV1 decoding on amd64.
RUN apt-get update \
 && apt-get install -y --no-install-recommends cmake g++ make nasm perl \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /aquatint
COPY Cargo.toml Cargo.lock build.rs ./
COPY src src
COPY tests tests
COPY docs docs
# A member of the workspace: named in Cargo.toml, not built.
COPY benches benches
COPY README.md LICENSE ./
RUN cargo build --release --locked --bin aquatint

# glibc and libgcc, nothing else; runs as uid 65532.
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /aquatint/target/release/aquatint /usr/local/bin/aquatint
# Inside a container the public port must be reachable from outside of it; the admin port stays on loopback.
ENV AQUATINT_SERVER_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["aquatint", "health"]
ENTRYPOINT ["aquatint"]
CMD ["serve"]
