/* The reference model for SPIN: story #898, reserve and release only.
 *
 *   spin -DM=5 -DK=2 -DR=2 -DW=2 -a reference.pml
 *   gcc -O2 -DNOREDUCE -DSAFETY -o pan pan.c && ./pan -m100000
 *
 * M managers with K tasks each; task k of manager m wants resource (m + k) mod R. A reservation
 * has a worker and an ordered list of tasks. A manager that has done its tasks waits for ever, so
 * that its end is no step of its own. */

byte worker[R];             /* of the reservation of each resource; 0: there is none */
byte tasks[R * M];          /* its tasks, in order, from 1 */
byte count[R];

inline append(resource, t) {
    tasks[resource * M + count[resource]] = t;
    count[resource]++;
}

inline take_off(resource, t) {
    i = 0;
    do
    :: i < count[resource] && tasks[resource * M + i] != t -> i++
    :: else -> break
    od;
    if
    :: i < count[resource] ->
        do
        :: i + 1 < count[resource] -> tasks[resource * M + i] = tasks[resource * M + i + 1]; i++
        :: else -> break
        od;
        tasks[resource * M + i] = 0;
        count[resource]--
    :: else
    fi;
    i = 0
}

inline remove_if_empty(resource) {
    if
    :: worker[resource] != 0 && count[resource] == 0 -> worker[resource] = 0
    :: else
    fi
}

#define r ((_pid + k) % R)
#define TAKEN(w) (worker[0] == w || (R > 1 && worker[R - 1] == w))
#define SOME_FREE (!TAKEN(1) || (W > 1 && !TAKEN(W)))

active [M] proctype manager() {
    byte k, w, i;
find:
    if
    :: worker[r] != 0 -> goto push
    :: worker[r] == 0 -> goto list
    fi;
push:
    if
    :: d_step { worker[r] != 0 -> append(r, _pid * K + k + 1) }; goto read
    :: worker[r] == 0 -> goto list
    fi;
read:
    w = worker[r]; goto pull;
list:
    w = 1;
insert:
    if
    :: d_step { worker[r] == 0 && !TAKEN(w) -> worker[r] = w; append(r, _pid * K + k + 1) };
        goto pull
    :: d_step { !(worker[r] == 0 && !TAKEN(w)) && w < W -> w++ }; goto insert
    :: d_step { !(worker[r] == 0 && !TAKEN(w)) && w == W -> w = 0 }; goto sleep
    fi;
sleep:
    if
    :: worker[r] != 0 -> goto push
    :: worker[r] == 0 && SOME_FREE -> goto list
    fi;
pull:
    if
    :: d_step { w != 0 -> take_off(r, _pid * K + k + 1); w = 0 }
    fi;
delete:
    if
    :: d_step { k + 1 < K -> remove_if_empty(r); k++ }; goto find
    :: d_step { k + 1 == K -> remove_if_empty(r); k++ }
    fi;
end:
    false
}
