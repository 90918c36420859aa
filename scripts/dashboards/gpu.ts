import * as units from '@grafana/grafana-foundation-sdk/units'
import { type Dashboard, ns } from './model.ts'

const component = 'gpu-monitoring'
/** Each GPU once: every environment with GPUs scrapes the same exporter, and a shared GPU is exported for each pod that uses it. */
const perGpu = (metric: string) => `max by (namespace, Hostname, gpu) (${metric}{${ns}})`
const gpuLegend = '{{namespace}} {{Hostname}} GPU {{gpu}}'

export const gpu: Dashboard = {
  name: 'gpu',
  title: 'Inference / GPU',
  description: 'GPUs that are paid for: are they used, are the models on them, are they well.',
  rows: [
    {
      title: 'Are they used?',
      panels: [
        {
          title: 'GPUs reserved',
          description: 'GPUs that pods have asked for, shares and slices included: what is paid for.',
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
          title: 'GPU busy',
          description: 'The share of time in which the GPU computed. Of a slice (MIG) the driver gives none.',
          unit: units.Percent,
          draw: 'lines',
          queries: [{ expr: perGpu('DCGM_FI_DEV_GPU_UTIL'), legend: gpuLegend }],
          alerts: ['GpuIdleWhileQueueGrows'],
          redFrom: 'never',
          component,
        },
        {
          title: 'Requests that wait',
          description: 'A queue that grows over GPUs that idle: the work does not reach them.',
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
          title: 'Energy for a thousand tokens',
          description:
            'Energy of all GPUs of the environment for each thousand output tokens, over the last hour. Nothing is drawn where none was generated.',
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
            'The part of each loaded model that is in the memory of a GPU. Below 100 % it runs on the CPU in part, many times slower.',
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
            'The share of each GPU’s memory that is taken. Full: a model or a context no longer fits and goes to the CPU.',
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
      title: 'Are they well?',
      panels: [
        {
          title: 'Faults',
          description:
            'The number (XID) of the last fault that the driver reported, 0 for none. NVIDIA’s list of XIDs says what it means.',
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
          description: 'A GPU that is too hot clocks down.',
          unit: units.Celsius,
          draw: 'lines',
          queries: [{ expr: perGpu('DCGM_FI_DEV_GPU_TEMP'), legend: gpuLegend }],
          component,
        },
        {
          title: 'Power',
          description: 'What the GPU draws; near its limit it clocks down.',
          unit: units.Watt,
          draw: 'lines',
          queries: [{ expr: perGpu('DCGM_FI_DEV_POWER_USAGE'), legend: gpuLegend }],
          component,
        },
        {
          title: 'Clock',
          description: 'The clock of the processors of the GPU. Low while busy: it is hot, or short of power.',
          unit: units.Hertz,
          draw: 'lines',
          queries: [{ expr: `1e6 * ${perGpu('DCGM_FI_DEV_SM_CLOCK')}`, legend: gpuLegend }],
          component,
        },
      ],
    },
  ],
}
