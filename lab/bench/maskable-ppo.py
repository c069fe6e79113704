"""The peer of bench/remediation.ts: MaskablePPO of sb3-contrib on the reference simulator, one thread.

python maskable-ppo.py REFERENCE STEPS, where REFERENCE is the simulator's Python file. Needs numpy, torch, gymnasium and sb3-contrib.
Prints one line of JSON: steps a CPU-second with the simulator in, samples a CPU-second of the update alone, microseconds of a choice.
"""
import importlib.util, json, os, sys, time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np, torch

torch.set_num_threads(1)
import sb3_contrib
from sb3_contrib import MaskablePPO

spec = importlib.util.spec_from_file_location("reference", sys.argv[1])
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

update = {"cpu": 0.0, "samples": 0}
original = MaskablePPO.train


def timed(self):
    began = time.process_time()
    original(self)
    update["cpu"] += time.process_time() - began
    update["samples"] += self.n_epochs * self.n_steps * self.n_envs


MaskablePPO.train = timed
player, trained = reference.train(int(sys.argv[2]), 0)

times = []
for seed in range(900_000, 900_400):
    simulator = reference.RemSim()
    simulator.reset(seed)
    player.reset(simulator)
    done = False
    while not done:
        began = time.perf_counter_ns()
        action = player.act(simulator)
        times.append((time.perf_counter_ns() - began) / 1000)
        done = simulator.step(action)[2]
times = sorted(times[200:])
print(json.dumps({
    "stepsPerCpuSecond": trained["steps_per_cpu_s"],
    "updateSamplesPerCpuSecond": round(update["samples"] / update["cpu"]),
    "choiceMicroseconds": {"p50": times[len(times) // 2], "p99": times[int(len(times) * .99)]},
    "versions": {"sb3-contrib": sb3_contrib.__version__, "torch": torch.__version__, "numpy": np.__version__},
}))
