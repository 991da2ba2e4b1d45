import { startSlurmLab } from './harness/slurm/slurm-lab.js'
import { smallPool, startSlurmMesh } from './harness/slurm/slurm-mesh.js'
const lab = await startSlurmLab({nodes:2})
const mesh = await startSlurmMesh({env:lab.env,pools:[smallPool({ minWorkers: 3, coreHours: 0.2 })]})
await mesh.cluster.waitForWorkers(1,{timeout:'60s'})
for(let i=0;i<6;i++){ const p=await mesh.pool(); console.log(p.condition, p.explanation, (await lab.jobs()).map(j=>j.id+j.state).join()); await new Promise(r=>setTimeout(r,1000))}
await mesh.close(); await lab.close(); process.exit()
