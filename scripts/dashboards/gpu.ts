import * as units from '@grafana/grafana-foundation-sdk/units'
import { type Dashboard, ns } from './model.ts'

const component = 'gpu-monitoring'
/** Each GPU once: every environment with GPUs scrapes the same exporter, and a shared GPU is exported for each pod that uses it. */
const perGpu = (metric: string) => `max by (namespace, Hostname, gpu) (${metric}{${ns}})`
const gpuLegend = '{{namespace}} {{Hostname}} GPU {{gpu}}'

export const gpu: Dashboard = {
  name: 'gpu',
  title: 'Inference / GPU',
  description: 'Are the GPUs used, are the models on them, and are they healthy?',
  rows: [
    {
      title: 'Are they used?',
      panels: [
        {
          title: 'GPUs reserved',
          description: 'GPUs that pods request, including shares and slices: what is paid for.',
          unit: units.Short,
          draw: 'number',
          queries: [
            {
              expr: `sum by (namespace, resource) (kube_pod_container_resource_requests{${ns}, resource=~"nvidia_com_.+"})`,
              legend: '{{namespace}} {{resource}}',
            },
          ],
          component,
        },
        {
          title: 'GPU utilisation',
          description: 'The share of time in which the GPU was busy. The driver reports none for a MIG slice.',
          unit: units.Percent,
          draw: 'lines',
          queries: [{ expr: perGpu('DCGM_FI_DEV_GPU_UTIL'), legend: gpuLegend }],
          alerts: ['GpuIdleWhileQueueGrows'],
          redFrom: 'never',
          component,
        },
        {
          title: 'Requests in the queue',
          description: 'A queue that grows while the GPUs are idle: the work does not reach them.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: `max by (namespace) (rabbitmq_detailed_queue_messages_ready{${ns}, queue="ai-requests"})`,
              legend: '{{namespace}}',
            },
          ],
          alerts: ['GpuIdleWhileQueueGrows'],
          redFrom: 'never',
        },
        {
          title: 'Energy per thousand tokens',
          description:
            'Energy of all GPUs of the environment per thousand output tokens, over the last hour. No data while none are generated.',
          unit: units.WattHour,
          draw: 'lines',
          queries: [
            {
              // DCGM counts in millijoules.
              expr: `sum by (namespace) (max by (namespace, Hostname, gpu) (rate(DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{${ns}}[1h]))) / 1000 / 3600\n  / (sum by (namespace) (rate(gen_ai_client_token_usage_sum{${ns}, gen_ai_token_type="output"}[1h])) / 1000 > 0)`,
              legend: '{{namespace}}',
            },
          ],
          component,
        },
      ],
    },
    {
      title: 'Are the models on them?',
      panels: [
        {
          title: 'Models on the GPU',
          description:
            'The part of each loaded model that is in GPU memory. Below 100 % it runs partly on the CPU, many times slower.',
          unit: units.PercentUnit,
          draw: 'lines',
          queries: [
            {
              expr: `max by (namespace, pod, model) (model_keeper_model_gpu_bytes{${ns}})\n  / (max by (namespace, pod, model) (model_keeper_model_bytes{${ns}}) > 0)`,
              legend: '{{namespace}} {{pod}} {{model}}',
            },
          ],
          alerts: ['ModelOnCpu'],
        },
        {
          title: 'GPU memory used',
          description:
            'The share of each GPU’s memory in use. When it is full, a model or a context no longer fits and falls back to the CPU.',
          unit: units.PercentUnit,
          draw: 'lines',
          queries: [
            {
              expr: `${perGpu('DCGM_FI_DEV_FB_USED')}\n  / (${perGpu('DCGM_FI_DEV_FB_USED')} + ${perGpu('DCGM_FI_DEV_FB_FREE')})`,
              legend: gpuLegend,
            },
          ],
          component,
        },
      ],
    },
    {
      title: 'Are they healthy?',
      panels: [
        {
          title: 'XID errors',
          description:
            'The number (XID) of the last error that the driver reported, 0 for none. See NVIDIA’s list of XIDs.',
          unit: units.Short,
          draw: 'number',
          queries: [
            {
              expr: `max by (namespace, pod, gpu, Hostname) (DCGM_FI_DEV_XID_ERRORS{${ns}})`,
              legend: '{{namespace}} {{pod}} {{Hostname}} GPU {{gpu}}',
            },
          ],
          alerts: ['GpuFault'],
          component,
        },
        {
          title: 'Temperature',
          description: 'A GPU that is too hot lowers its clock.',
          unit: units.Celsius,
          draw: 'lines',
          queries: [{ expr: perGpu('DCGM_FI_DEV_GPU_TEMP'), legend: gpuLegend }],
          component,
        },
        {
          title: 'Power',
          description: 'Power draw; near its limit the GPU lowers its clock.',
          unit: units.Watt,
          draw: 'lines',
          queries: [{ expr: perGpu('DCGM_FI_DEV_POWER_USAGE'), legend: gpuLegend }],
          component,
        },
        {
          title: 'Clock',
          description: 'SM clock. Low under load: the GPU is too hot, or at its power limit.',
          unit: units.Hertz,
          draw: 'lines',
          queries: [{ expr: `1e6 * ${perGpu('DCGM_FI_DEV_SM_CLOCK')}`, legend: gpuLegend }],
          component,
        },
      ],
    },
  ],
}
