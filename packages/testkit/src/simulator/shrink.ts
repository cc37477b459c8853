import type { Plan } from './plan.ts'

/**
 * A smaller plan that still fails: steps are left out in ever smaller pieces as long as it does. What is left tells what
 * the failure needs.
 */
export async function shrink(
  plan: Plan,
  fails: (plan: Plan) => Promise<boolean>,
  options: { readonly maxRuns?: number } = {},
): Promise<Plan> {
  let runs = options.maxRuns ?? 200
  let best = plan
  for (let size = Math.ceil(best.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < best.steps.length && runs > 0; ) {
      const smaller = { ...best, steps: [...best.steps.slice(0, from), ...best.steps.slice(from + size)] }
      runs--
      if (await fails(smaller)) best = smaller
      else from += size
    }
  }
  for (let count = best.devices.length - 1; count >= 1 && runs > 0; count--, runs--) {
    const smaller = { ...best, devices: best.devices.slice(0, count) }
    if (await fails(smaller)) best = smaller
  }
  return best
}
