/**
 * Sends Parley's traces to anything that takes OTLP: `parley serve --tracing deploy/tracing/opentelemetry.mjs`. Copy it and
 * change it as you like. Beside Parley it needs
 *
 *     npm install @opentelemetry/api @opentelemetry/resources @opentelemetry/sdk-trace-node @opentelemetry/exporter-trace-otlp-http
 *
 * and is told where to send by OpenTelemetry's own variables: `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME`,
 * `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` (how many of the traces; by default all, which is too many for a
 * busy server).
 */
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'

const provider = new NodeTracerProvider({
  resource: defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'parley' }))
    .merge(detectResources({ detectors: [envDetector] })),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
})
// Also sets what carries the present span along with asynchronous work, and what reads `traceparent`.
provider.register()
const tracer = trace.getTracer('parley')
const kinds = { server: SpanKind.SERVER, internal: SpanKind.INTERNAL }

/** @type {import('@parley/server').Tracing} */
export default {
  begin({ name, kind, at, attributes, headers }) {
    // What a client asks for over its socket is part of nothing; a request is part of what its headers say.
    const parent = headers
      ? propagation.extract(ROOT_CONTEXT, headers)
      : kind === 'server'
        ? ROOT_CONTEXT
        : context.active()
    const span = tracer.startSpan(
      name,
      { kind: kinds[kind], ...(attributes && { attributes }), ...(at !== undefined && { startTime: at }) },
      parent,
    )
    return {
      within: (work) => context.with(trace.setSpan(parent, span), work),
      end({ attributes: more, error } = {}) {
        if (more) span.setAttributes(more)
        if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error })
        span.end()
      },
    }
  },
  close: () => provider.shutdown(),
}
